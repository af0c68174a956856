"""Every benchmark has a process of its own: one thread for each library, and BLAS free to choose its kernels.

Some machines set two variables that make OpenBLAS run kernels of older processors. Libraries read the environment when
they are loaded, so what is to hold must be set before: these functions start that process and say what they set.
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, Literal, NoReturn

__all__ = ["SETTINGS", "UNSET", "Instructions", "environment_of", "settings", "start"]

Instructions = Literal["all", "avx2"]

UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""What is not to decide how fast BLAS is; the kernels that it then chooses are named with every measurement."""

SETTINGS = "NPNET_BENCH_SETTINGS"
"""The variable that tells the process what was set for it."""

_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_XLA = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
_AVX2 = {  # for each library the name of its own for processors without AVX-512
    "OPENBLAS_CORETYPE": "Haswell",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "NUMBA_CPU_NAME": "haswell",
}


def environment_of(instructions: Instructions = "all", outside: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of a benchmark's process. instructions: "avx2", as if the processor had no AVX-512."""
    inside = {name: value for name, value in outside.items() if name not in UNSET}
    chosen: dict[str, str] = dict.fromkeys(_THREADS, "1") | {"XLA_FLAGS": _XLA}
    if instructions == "avx2":
        chosen |= _AVX2 | {"XLA_FLAGS": f"{_XLA} --xla_cpu_max_isa=AVX2"}
    unset = {name: None for name in UNSET if name in outside and name not in chosen}
    return inside | chosen | {SETTINGS: json.dumps(unset | chosen)}


def settings() -> dict[str, str | None]:
    """Return the variables that were set for this process: their values, None for one that was unset."""
    return dict(json.loads(os.environ.get(SETTINGS, "{}")))


def start(name: str, options: Mapping[str, Any], instructions: Instructions = "all") -> NoReturn:
    """Go on as the process of a benchmark with some options, which takes this one's place."""
    sys.stdout.flush()
    command = [sys.executable, "-m", "experiments.benchmarks", name, json.dumps(options)]
    os.execve(sys.executable, command, environment_of(instructions))
