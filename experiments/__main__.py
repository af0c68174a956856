"""The command line, `python -m experiments`: settles BLAS before anything imports numpy, then hands over."""

import sys

from experiments import blas


def main() -> None:
    """Settle BLAS for this process and its workers, then run the command."""
    blas.settle()
    from experiments.command import main as command  # imports numpy, so not before this line

    sys.exit(command())


if __name__ == "__main__":
    main()
