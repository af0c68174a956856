"""One BLAS thread for each worker process, chosen before numpy is imported.

A step of 20 examples is too small to share between threads, and workers that each start two threads on two cores wait
for one another. BLAS libraries read the environment once, when numpy is first imported.
"""

import os
from collections.abc import MutableMapping

__all__ = ["THREAD_SETTINGS", "describe_blas", "use_one_thread"]

THREAD_SETTINGS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_OTHERS = ("OPENBLAS_CORETYPE",)  # never set here, but recorded where the user has set it: it decides the last bits


def use_one_thread(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set each number of threads to one where the user has not set it."""
    for name in THREAD_SETTINGS:
        environment.setdefault(name, "1")


def describe_blas(environment: MutableMapping[str, str] = os.environ) -> str:
    """Return the settings of BLAS in one line, as they would be typed."""
    return " ".join(f"{name}={environment[name]}" for name in (*THREAD_SETTINGS, *_OTHERS) if name in environment)
