"""`python -m npnet.check` says which command to use, and passes `conformance …` on to the conformance set."""

import sys

from npnet.check.conformance.__main__ import main as conformance

__all__ = ["main"]

COMMANDS = "python -m npnet.proofs checks npnet's own gradients, python -m npnet.check.conformance those of a framework"


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status, 2 where there is no such command."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["conformance"]:
        return conformance(given[1:])
    print(COMMANDS)
    return 2 if given and given != ["--help"] and given != ["-h"] else 0


if __name__ == "__main__":
    sys.exit(main())
