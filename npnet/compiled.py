"""Compiled loops: numba is asked for when one is first called, and where there is none plain NumPy does the same.

    @compiled(plain=..., nogil=True)
    def loop(...): ...

is compiled at its first call and calls other loops of this kind without leaving compiled code. Without numba, or with
NUMBA_DISABLE_JIT=1, `plain` runs in its place, by default the same lines as Python. So `import npnet` needs NumPy alone
and compiles nothing. The compiler keeps its results on disk where it may write. This is the one file that knows numba.
"""

import pickle
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache, update_wrapper
from threading import RLock
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["Compiled", "compiled", "compiler"]

_LOCK = RLock()  # which its own thread may enter again after an interrupt


@cache
def compiler() -> ModuleType | None:
    """Return numba, or None where it cannot be imported, which is said once, or is switched off."""
    try:
        import numba
    except Exception as error:  # numba for another NumPy or Python fails in ways of its own
        warnings.warn(
            f"numba cannot be imported ({error}), so that plain NumPy runs in place of compiled loops: the same "
            "numbers, up to rounding, and slower; pip install numba",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return None if numba.config.DISABLE_JIT else numba


class Compiled:
    """A loop that is compiled when it is first called. A class because numba finds the loop by an attribute of it."""

    def __init__(self, loop: Callable[..., Any], plain: Callable[..., Any] | None, options: dict[str, Any]) -> None:
        update_wrapper(self, loop)
        self.loop, self.plain, self.options = loop, plain or loop, options
        self.chosen: Callable[..., Any] | None = None

    def __call__(self, *args: Any) -> Any:
        """Run the loop."""
        try:
            return (self.chosen or self.form())(*args)
        except Exception as error:
            if not _is_of_the_cache(error):
                raise
            self._forget_the_cache()
        return self.form()(*args)

    def form(self) -> Callable[..., Any]:
        """Return what runs: the compiled loop, or the plain one."""
        with _LOCK:
            if self.chosen is None:
                numba = compiler()
                if numba is None:  # silent where compiled code is: whole numbers that wrap around, underflow
                    self.chosen = np.errstate(over="ignore", under="ignore")(self.plain)
                else:
                    self.chosen = _njit(numba, self.loop, self.options)
        return self.chosen

    @property
    def _numba_type_(self) -> Any:
        """What numba takes this object for in the code of another loop."""
        return self.form()._numba_type_  # type: ignore[attr-defined]

    def __reduce__(self) -> str:
        return self.__qualname__  # type: ignore[attr-defined]  # pickles know it by name

    def _forget_the_cache(self) -> None:
        """Empty the cache of this loop on disk, and compile in memory: the next process fills it again."""
        numba, broken = compiler(), self.chosen
        with suppress(Exception):
            broken._cache.flush()  # type: ignore[union-attr]
        self.chosen = numba.njit(**{**self.options, "cache": False})(self.loop)  # type: ignore[union-attr]


def compiled(plain: Callable[..., Any] | None = None, **options: Any) -> Callable[[Callable[..., Any]], Compiled]:
    """Return the decorator of a loop; plain: what runs without numba; options: those of numba.njit.

    Only loops that Python calls need cache=True: the loops that these call are in the same file of the cache.
    """
    return lambda loop: Compiled(loop, plain, options)


def _njit(numba: ModuleType, loop: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    try:
        return numba.njit(**options)(loop)
    except (RuntimeError, OSError):  # no folder that the cache could be written to
        return numba.njit(**{**options, "cache": False})(loop)


def _is_of_the_cache(error: BaseException) -> bool:
    """Say whether an error is the compiler's own, about a damaged file of its cache or a full disk."""
    trace = error.__traceback__
    while trace and not trace.tb_frame.f_code.co_filename.endswith("caching.py"):
        trace = trace.tb_next
    return trace is not None or isinstance(error, EOFError | pickle.UnpicklingError)
