"""`python -m npnet.check`: the gradient of every layer, loss, penalty and whole network of the library, proved.

One line a case: its name, the worst relative error of all parameters, the smallest relative error planted in one entry
of each parameter's gradient that the check still caught, and how far the gradient's own derivative is from symmetric.
Then one line for each function with kinks: what convention its gradient keeps there. Exits with 1 if anything is wrong,
or a planted error of 1e-4 is missed.

`python -m npnet.check conformance --against torch` holds another framework to the conformance set (see
`npnet.check.conformance`): torch, jax, autograd, npnet, or your.module:adapter.
"""

import argparse
import sys

from npnet.check import check_gradient, check_hessian, check_kinks
from npnet.check.catalogue import cases, kinked_cases
from npnet.check.conformance.run import hold
from npnet.check.planting import plant, smallest_caught

__all__ = ["main", "plant"]

REQUIRED = 1e-4


def library() -> int:
    """Check every case of the library, print the table and return the exit status."""
    failed = []
    print(f"{'case':44} {'worst error':>12} {'planted, caught':>16} {'asymmetry':>12}")
    for case in cases():
        report, second = check_gradient(case.f, *case.arguments), check_hessian(case.f, *case.arguments)
        caught = smallest_caught(case.f, case.arguments)
        right = bool(report) and bool(second) and caught <= REQUIRED
        numbers = f"{report.error:12.1e} {caught:16.0e} {second.error:12.1e}"
        print(f"{case.name:44} {numbers}{'' if right else '   WRONG'}", flush=True)
        failed += [] if right else [report, second]
    for case in kinked_cases():
        kinks = check_kinks(case.f, *case.arguments)
        print(f"{case.name:44} {'; '.join(kinks.notes) or 'no kinks'}{'' if kinks else '   WRONG'}", flush=True)
        failed += [] if kinks else [kinks]
    for each in failed:
        print(each, file=sys.stderr)
    print(f"{len(failed)} wrong" if failed else "every gradient confirmed")
    return 1 if failed else 0


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m npnet.check", description=__doc__.split("\n\n")[0])
    commands = parser.add_subparsers(dest="command")
    other = commands.add_parser("conformance", help="hold another framework to the conformance set")
    other.add_argument("--against", default="npnet", help="torch, jax, autograd, npnet or your.module:adapter")
    given = parser.parse_args(arguments)
    return hold(given.against) if given.command == "conformance" else library()


if __name__ == "__main__":
    sys.exit(main())
