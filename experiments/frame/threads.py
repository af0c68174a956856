"""BLAS as the studies need it: one thread for each worker and the fast kernels, settled before numpy is imported.

A 500-500 step at batch 20 is too small to share between threads, and workers that each start two threads on two cores
wait for one another. On some new processors OpenBLAS does not know the model and falls back to kernels half as fast;
where the CPU has the AVX-512 instructions that the kernels named SkylakeX use, they are asked for by name (elsewhere
that name would crash). Zen 4 runs those instructions at half width: there the kernels named Haswell are asked for, with
which steps of 20 examples measured 4 to 9 percent faster. OpenBLAS reads the environment once, when numpy is first
imported, hence before it.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path

__all__ = ["KERNELS", "THREADS", "cpu_flags", "cpu_model", "describe", "settle"]

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
KERNELS = "OPENBLAS_CORETYPE"
_NEEDED = {"avx512f", "avx512dq", "avx512bw", "avx512vl"}
_CPU = Path("/proc/cpuinfo")


def settle(
    environment: MutableMapping[str, str] = os.environ, flags: set[str] | None = None, zen4: bool | None = None
) -> None:
    """Set what the user has not set: one thread, and the kernels that suit the CPU where it has AVX-512."""
    for name in THREADS:
        environment.setdefault(name, "1")
    if _NEEDED.issubset(cpu_flags() if flags is None else flags):
        half_width = is_zen4() if zen4 is None else zen4
        environment.setdefault(KERNELS, "Haswell" if half_width else "SkylakeX")


def describe(environment: MutableMapping[str, str] = os.environ) -> str:
    """Return the settings in one line, as they would be typed."""
    return " ".join(f"{name}={environment[name]}" for name in (*THREADS, KERNELS) if name in environment)


def cpu_flags() -> set[str]:
    """Return the instruction sets that the CPU names, none where the system does not say."""
    return set(_cpu_line("flags").split())


def is_zen4() -> bool:
    """Say whether this is an AMD CPU of family 25, which has AVX-512 from its Zen 4 models on."""
    return _cpu_line("vendor_id") == "AuthenticAMD" and _cpu_line("cpu family") == "25"


def cpu_model() -> str:
    """Return the CPU's name, "unknown" where the system does not say."""
    return _cpu_line("model name") or "unknown"


def _cpu_line(key: str) -> str:
    try:
        lines = _CPU.read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == key), "")
