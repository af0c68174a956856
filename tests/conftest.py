"""Shared fixtures: a test that takes `xp` runs on numpy, on the strict stand-in and, marked gpu, on CuPy."""

import importlib.util
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import strictarrays

hypothesis.settings.register_profile(
    "npnet", deadline=None, max_examples=40, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
hypothesis.settings.load_profile("npnet")


def _cupy():
    if importlib.util.find_spec("cupy") is None:
        pytest.skip("CuPy is not installed: pip install the extra 'gpu' on a machine with a CUDA device")
    import cupy

    return cupy


@pytest.fixture(params=["numpy", "strict", pytest.param("cupy", marks=pytest.mark.gpu)])
def xp(request):
    return {"numpy": lambda: np, "strict": lambda: strictarrays, "cupy": _cupy}[request.param]()


@pytest.fixture
def rng():
    return np.random.default_rng(7)
