"""A job of the study: the cases of one package, each judged by the referee and by npnet.check."""

import time
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from typing import Any

from experiments.frame.jobs import Result
from experiments.frame.provenance import environment
from experiments.frame.workspace import Workspace
from experiments.studies.wild.case import Case, outcome
from experiments.studies.wild.referee import judge

__all__ = ["PACKAGES", "examine"]

PACKAGES = {
    "astropy": "astropy",
    "celerite2": "celerite2",
    "chemicals": "chemicals",
    "copt": "copt",
    "glum": "glum",
    "gpy": "GPy",
    "modopt": "modopt",
    "ngboost": "ngboost",
    "odl": "odl",
    "ot": "POT",
    "proxmin": "proxmin",
    "pygam": "pygam",
    "pyproximal": "pyproximal",
    "pyunlocbox": "pyunlocbox",
    "scipy": "scipy",
    "skglm": "skglm",
    "sklearn": "scikit-learn",
    "sporco": "sporco",
    "spiceypy": "spiceypy",
    "statsmodels": "statsmodels",
    "tensorly": "tensorly",
    "thinc": "thinc",
    "uncertainties": "uncertainties",
}
"""Files of cases, with the names under which their packages are installed."""


def examine(workspace: Workspace, package: str, limit: int | None = None) -> Result:
    """Return a row for each of the first so many cases of a package, or that it is not installed."""
    del workspace
    try:
        installed = version(PACKAGES[package])
        cases = import_module(f"experiments.studies.wild.packages.{package}").cases()
    except (ImportError, PackageNotFoundError) as error:
        return {"package": package, "missing": str(error), "rows": [], "environment": environment()}
    with warnings.catch_warnings(), redirect_stdout(StringIO()):  # some packages print
        warnings.simplefilter("ignore")
        rows = [_row(case) for case in _first(cases, limit)]
    return {"package": package, "version": installed, "rows": rows, "environment": environment()}


def _first(cases: Iterator[Case], limit: int | None) -> Iterator[Case]:
    for number, case in enumerate(cases):
        if limit is not None and number >= limit:
            return
        yield case


def _row(case: Case) -> dict[str, Any]:
    """Return what is true of a case, what the check says, and how long it took."""
    found, off, begun = "unknown", 0.0, 0.0
    try:
        found, off = judge(case)
        begun = time.perf_counter()
        report = case.check()
        verdict, said = outcome(case, report), str(report)
    except Exception as error:  # the package, or the check, may raise anything
        verdict, said = "undecided", f"{type(error).__name__}: {error}"
    return {
        "case": case.name,
        "kind": "proximal step" if case.step is not None else "derivative",
        "truth": "wrong" if case.fault else "right",
        "fault": case.fault,
        "from": case.reason or "the referee",
        "referee": found,
        "off": min(off, 1e300),
        "outcome": verdict,
        "disputed": (found == "wrong") != bool(case.fault) and not case.reason,
        "seconds": round(time.perf_counter() - begun, 3) if begun else None,
        "said": said,
    }
