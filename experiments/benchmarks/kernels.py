"""The name of the kernels that numpy's BLAS runs, recorded with every measured speed."""

import ctypes
from pathlib import Path

import numpy as np

__all__ = ["kernels"]


def kernels() -> str | None:
    """Return OpenBLAS's name for the kernels it chose, or None where numpy brings no OpenBLAS of its own."""
    for library in sorted(Path(np.__file__).parent.parent.glob("numpy.libs/libscipy_openblas*")):
        for name in ("scipy_openblas_get_corename64_", "scipy_openblas_get_corename"):
            corename = getattr(ctypes.CDLL(str(library)), name, None)
            if corename is not None:
                corename.restype = ctypes.c_char_p
                return str(corename().decode())
    return None
