"""`python -m npnet.proofs` checks the gradient of every layer, loss, penalty and whole network of npnet.

The table has one line for each case: its name, the worst relative error of all parameters, the smallest planted error
that the check still caught, and the asymmetry of the gradient's own derivative. An error is planted in one entry of
each parameter's gradient, and its size is relative to that entry. Then one line for each function with kinks says how
many kinks were checked against the convention. The command exits with 1 if anything is wrong, or if a planted error of
1e-4 is missed.
"""

import argparse
import sys

from npnet.check import check_gradient, check_hessian, check_kinks
from npnet.proofs.catalogue import cases, kinked_cases
from npnet.proofs.planting import smallest_caught

__all__ = ["main"]

REQUIRED = 1e-4


def main(arguments: list[str] | None = None) -> int:
    """Check every case of the library, print the table and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m npnet.proofs", description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="the cases whose names have this in them")
    only, failed = parser.parse_args(arguments).only, []
    smooth, kinked = ([case for case in found if only in case.name] for found in (cases(), kinked_cases()))
    width = max((len(case.name) for case in (*smooth, *kinked)), default=4)
    print(f"{'case':{width}} {'worst error':>12} {'planted, caught':>16} {'asymmetry':>12}")
    for case in smooth:
        report, second = check_gradient(case.f, *case.arguments), check_hessian(case.f, *case.arguments)
        caught = smallest_caught(case.f, case.arguments)
        right = bool(report) and bool(second) and caught <= REQUIRED
        numbers = f"{report.error:12.1e} {caught:16.0e} {second.error:12.1e}"
        print(f"{case.name:{width}} {numbers}{'' if right else '   WRONG'}", flush=True)
        failed += [] if right else [report, second]
    for case in kinked:
        kinks = check_kinks(case.f, *case.arguments)
        print(f"{case.name:{width}} {'; '.join(kinks.notes) or 'no kinks'}{'' if kinks else '   WRONG'}", flush=True)
        failed += [] if kinks else [kinks]
    for each in failed:
        print(each, file=sys.stderr)
    print(f"{len(failed)} wrong" if failed else "every gradient confirmed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
