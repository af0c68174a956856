"""`python -m npnet.check.conformance --against torch` compares a framework's gradients with the stored answers."""

import argparse
import sys
from pathlib import Path

from npnet.check.conformance.adapters import __file__ as adapters
from npnet.check.conformance.run import ADAPTERS, hold

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Print the table of a framework and return the exit status: 1 where it is wrong, 2 where it is missing."""
    parser = argparse.ArgumentParser(prog="python -m npnet.check.conformance", description=__doc__.split("\n\n")[0])
    parser.add_argument("--against", default="npnet", help=f"{', '.join(ADAPTERS)}, or your.module:adapter")
    parser.add_argument("--template", action="store_true", help="print an adapter to begin with")
    asked = parser.parse_args(arguments)
    if asked.template:
        print((Path(adapters).parent / "template.py").read_text("utf-8"), end="")
        return 0
    return hold(asked.against)


if __name__ == "__main__":
    sys.exit(main())
