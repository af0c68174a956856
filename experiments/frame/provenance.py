"""Where a number comes from: versions, BLAS, CPU and commit, recorded by the process that computed it."""

import platform
import subprocess
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import npnet
from experiments.frame.threads import describe_blas

__all__ = ["CHECKOUT", "commit", "distinct", "environment"]

CHECKOUT = Path(__file__).parents[2]
"""The root of the source tree that this process runs from."""

_CPU = Path("/proc/cpuinfo")


@cache
def environment() -> dict[str, str]:
    """Return what this process computes with, names and values."""
    library = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "npnet": npnet.__version__,
        "commit": commit(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": version("numba") if find_spec("numba") else "none",
        "blas": f"{library['name']} {library['version']}",
        "blas_settings": describe_blas(),
        "cpu": cpu_model(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def distinct(environments: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Return every environment once, in the order of their first appearance."""
    found: list[dict[str, str]] = []
    for each in environments:
        if each not in found:
            found.append(each)
    return found


def commit() -> str:
    """Return the commit of the source tree, "+dirty" where it was changed since, "unknown" outside a checkout."""
    git = ["git", "-C", str(CHECKOUT)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+dirty" if changed.strip() else "")


def cpu_model() -> str:
    """Return the CPU's name, "unknown" where the system does not report it."""
    try:
        lines = _CPU.read_text().splitlines()
    except OSError:
        return "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
