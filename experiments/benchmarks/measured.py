"""What every benchmark prints below its table and writes into its file: one form, with where the numbers come from.

    {"benchmark": name, "environment": {...}, "peers": {name: version}, "rows": [row, ...], ...}
    row: {"case": {...}, "seconds": {contender: [seconds of each round]}, "ratios": {contender: number}, ...}

Seconds are of one unit of work: a step, an epoch, a block. A ratio is the median, round by round, of a contender's time
divided by the time of the one in question, most often npnet's: 2 is half as fast. "..." is what one benchmark adds.
"""

from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console

from experiments.benchmarks.process import settings
from experiments.benchmarks.timing import ratio
from experiments.frame.files import write_json
from experiments.frame.provenance import environment
from npnet.blas import kernels

__all__ = ["machine", "print_missing", "print_origin", "row", "versions", "write"]

_DISTRIBUTIONS = {"sklearn": ("scikit-learn",), "cv2": ("opencv-python-headless", "opencv-python"), "PIL": ("pillow",)}
_DISTRIBUTIONS |= {"skimage": ("scikit-image",)}


def row(case: Mapping[str, Any], seconds: Mapping[str, list[float]], beside: str, **more: Any) -> dict[str, Any]:
    """Return one row of measurements: what was measured, the seconds, and their ratios to one contender's."""
    ratios = {name: ratio(times, seconds[beside]) for name, times in seconds.items()}
    return {"case": dict(case), "seconds": dict(seconds), "ratios": ratios, **more}


def machine() -> dict[str, Any]:
    """Return where this process runs: versions, processor, commit, kernels, and what was set for it."""
    return {**environment(), "kernels": kernels(), "settings": settings()}


def versions(modules: Iterable[str]) -> dict[str, str]:
    """Return the version of each module's distribution."""
    found = {}
    for module in modules:
        for name in _DISTRIBUTIONS.get(module, (module,)):
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
    return found


def print_missing(names: Mapping[str, str], console: Console) -> list[str]:
    """Print the peers {module: name} that are not installed, and return the modules of those that are."""
    present = [module for module in names if find_spec(module)]
    missing = [name for module, name in names.items() if module not in present]
    if missing:
        console.print(f"not installed: {', '.join(missing)} (the extra 'peers' brings them)")
    return present


def print_origin(console: Console, peers: Iterable[str] = ()) -> None:
    """Print in which environment this process measured, and what was set for it."""
    here = machine()
    libraries = {name: here[name] for name in ("python", "numpy", "numba")} | versions(peers)
    chosen = [f"{name} unset" if value is None else f"{name}={value}" for name, value in here["settings"].items()]
    for line in (
        f"{here['cpu']}; {here['blas']} with {here['kernels'] or 'unknown'} kernels",
        ", ".join(f"{name} {number}" for name, number in libraries.items()),
        f"for this process: {', '.join(chosen) or 'nothing set'}",
    ):
        console.print(line, highlight=False, soft_wrap=True)


def write(
    path: Path | str | None, benchmark: str, rows: list[dict[str, Any]], peers: Iterable[str] = (), **more: Any
) -> None:
    """Write measurements in the form above, where a path was given."""
    if path is not None:
        head = {"benchmark": benchmark, "environment": machine(), "peers": versions(peers)}
        write_json(Path(path), {**head, "rows": rows, **more})
        print(f"measurements are in {path}")
