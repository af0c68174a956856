"""A word to the user when numpy's OpenBLAS chose kernels half as fast as the processor allows.

OpenBLAS knows processors by model, and takes kernels without AVX-512 on some that are newer than itself. The remedy is
an environment variable that it reads once, when numpy is first imported: too late to set from here, so we only say it.
"""

import ctypes
import os
import warnings
from functools import cache
from pathlib import Path

import numpy as np

__all__ = ["advise", "kernels"]

WIDE = ("SkylakeX", "Cooperlake", "SapphireRapids")  # OpenBLAS's names of its kernels with AVX-512


def kernels() -> str | None:
    """Return OpenBLAS's name for the kernels it chose, or None where numpy brings no OpenBLAS of its own."""
    for library in sorted(Path(np.__file__).parent.parent.glob("numpy.libs/libscipy_openblas*")):
        for name in ("scipy_openblas_get_corename64_", "scipy_openblas_get_corename"):
            corename = getattr(ctypes.CDLL(str(library)), name, None)
            if corename is not None:
                corename.restype = ctypes.c_char_p
                return str(corename().decode())
    return None


@cache
def advise() -> None:
    """Warn, once a process, where the kernels do without the AVX-512 there is and the user has not chosen them."""
    chosen = kernels()
    if chosen and not chosen.startswith(WIDE) and has_avx512() and "OPENBLAS_CORETYPE" not in os.environ:
        warnings.warn(
            f"numpy's OpenBLAS runs its {chosen} kernels on a processor that has AVX-512: training may take twice as "
            "long as it could. Set the environment variable OPENBLAS_CORETYPE=SkylakeX before Python starts (or to any "
            "value of your own to end this advice).",
            stacklevel=3,
        )


def has_avx512() -> bool:
    """Say whether the processor has the AVX-512 instructions that OpenBLAS's SkylakeX kernels use."""
    features = getattr(np._core._multiarray_umath, "__cpu_features__", {})  # type: ignore[attr-defined]
    return bool(features.get("AVX512_SKX", False))
