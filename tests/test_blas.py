"""The advice about slow BLAS kernels: given once, where it is true, and never against the user's own choice."""

import warnings

import numpy as np
import pytest

from npnet import blas


@pytest.mark.parametrize(
    ("chosen", "wide", "environment", "advised"),
    [
        ("Haswell", True, {}, True),
        ("Zen", True, {}, True),
        ("Haswell", False, {}, False),
        ("SkylakeX", True, {}, False),
        ("Cooperlake", True, {}, False),
        ("Haswell", True, {"OPENBLAS_CORETYPE": "Haswell"}, False),
        (None, True, {}, False),
    ],
)
def test_advice(monkeypatch, chosen, wide, environment, advised):
    monkeypatch.setattr(blas, "kernels", lambda: chosen)
    monkeypatch.setattr(blas, "has_avx512", lambda: wide)
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    blas.advise.cache_clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        blas.advise()
        blas.advise()
    assert len(caught) == advised
    assert not advised or "OPENBLAS_CORETYPE=SkylakeX" in str(caught[0].message)
    blas.advise.cache_clear()


def test_the_kernels_are_named_where_numpy_brings_openblas():
    name = blas.kernels()
    built = np.__config__.CONFIG["Build Dependencies"]["blas"]["name"]
    assert (name is not None and name.isprintable()) or "openblas" not in built
    assert isinstance(blas.has_avx512(), bool)
