"""`python -m npnet.check.conformance --against torch` compares a framework's gradients with the stored answers."""

import argparse
import sys

from npnet.check.conformance.run import ADAPTERS, hold

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Print the table of a framework and return the exit status: 1 where it is wrong, 2 where it is missing."""
    parser = argparse.ArgumentParser(prog="python -m npnet.check.conformance", description=__doc__.split("\n\n")[0])
    parser.add_argument("--against", default="npnet", help=f"{', '.join(ADAPTERS)}, or your.module:adapter")
    return hold(parser.parse_args(arguments).against)


if __name__ == "__main__":
    sys.exit(main())
