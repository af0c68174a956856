"""`npnet-check module:function`, also `python -m npnet.check`, checks gradients from the command line.

    npnet-check mine:loss --args point.npz         arguments from a file, by their names: w, or p/W for p["W"]
    npnet-check mine:loss --args mine:point        arguments that a function returns: a tuple, or a dict by name
    npnet-check mine:loss mine:layer               arguments that are default values of the parameters
    npnet-check conformance --against torch        a framework and the conformance set

The exit code is 0 if every gradient is confirmed, 1 if one is wrong, 2 if nothing is wrong but something was not tested
(nothing to see at this point, or undecided), and 3 if a function could not be checked: it cannot be imported, its
arguments do not fit, or it raises an exception.
"""

import argparse
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import npnet.check as checks
from npnet.check.compare import CONVENTIONS
from npnet.check.conformance.__main__ import main as conformance
from npnet.check.formats import FORMATS, Outcome
from npnet.check.loading import arguments_of, loaded

__all__ = ["CODES", "main"]

CODES = {"confirmed": 0, "wrong": 1, "nothing seen": 2, "undecided": 2, "not checked": 3}
"""The exit codes. That of several functions is the one that is the most in need of work: 3, then 1, 2, 0."""

CHECKS: dict[str, Callable[..., checks.Report]] = {
    "gradient": checks.check_gradient,
    "kinks": checks.check_kinks,
    "jacobian": checks.check_jacobian,
    "hessian": checks.check_hessian,
    "convex": checks.check_convex,
}


class _Parser(argparse.ArgumentParser):
    """A parser that exits with 3, since 2 means something else here."""

    def error(self, message: str) -> Any:
        self.print_usage(sys.stderr)
        self.exit(3, f"{self.prog}: error: {message}\n")


def _parser() -> argparse.ArgumentParser:
    usage, _, codes = (__doc__ or "").partition("\n\n")[2].partition("\n\n")
    parser = _Parser(
        prog="npnet-check",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Check the gradients that functions return with their values.",
        epilog=f"{usage}\n\n{codes}",
    )
    parser.add_argument("functions", nargs="+", metavar="module:function", help="what returns (value, gradients)")
    parser.add_argument("--args", metavar="FILE.npz|module:make", help="the arguments of every function")
    parser.add_argument("--check", choices=[*CHECKS], default="gradient", help="default: gradient")
    parser.add_argument("--seed", type=int, default=0, help="of the random directions, default: 0")
    parser.add_argument("--method", choices=["auto", "complex step", "differences"], help="default: auto")
    parser.add_argument("--convention", choices=[*CONVENTIONS, "branch"], help="what a gradient must be at a kink")
    parser.add_argument("--tolerance", type=float, help="largest relative error, default: what rounding explains")
    parser.add_argument("--dtype", choices=["float32", "float64"], help="precision of the gradient, default: float64")
    parser.add_argument("--format", choices=[*FORMATS], default="text", help="default: text")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the result to a file")
    return parser


def main(given: list[str] | None = None) -> int:
    """Check what the command line names, print the result and return the exit code."""
    given = sys.argv[1:] if given is None else given
    if given[:1] == ["conformance"]:
        return conformance(given[1:])
    parser = _parser()
    asked = parser.parse_args(given)
    options = {name: getattr(asked, name) for name in ("method", "convention", "tolerance", "dtype")}
    options = {"seed": asked.seed, **{name: option for name, option in options.items() if option is not None}}
    known = inspect.signature(CHECKS[asked.check]).parameters
    for name in options:
        if name not in known:
            parser.error(f"--{name} is no option of --check {asked.check}")
    sys.path.insert(0, "")  # modules of the current folder, for the console script too
    try:
        outcomes = [_outcome(name, asked.args, CHECKS[asked.check], options) for name in asked.functions]
    finally:
        sys.path.remove("")
    text = FORMATS[asked.format](outcomes)
    if asked.out:
        asked.out.write_text(text + "\n", "utf-8")
        print("\n".join(f"{each.name}: {each.verdict}" for each in outcomes))
    else:
        print(text)
    codes = {CODES[each.verdict] for each in outcomes}
    return next(code for code in (3, 1, 2, 0) if code in codes)


def _outcome(name: str, args: str | None, check: Callable[..., Any], options: dict[str, Any]) -> Outcome:
    """Check one function. Whatever it raises is its outcome, and the next function is checked all the same."""
    try:
        f = loaded(name)
        return Outcome(name, check(f, *arguments_of(f, args), **options))
    except Exception as error:
        return Outcome(name, None, f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    sys.exit(main())
