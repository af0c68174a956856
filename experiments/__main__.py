"""The command line, `python -m experiments`: settles BLAS before anything imports numpy, then hands over."""

import sys

from experiments.frame import threads as blas


def main() -> None:
    """Settle BLAS for this process and its workers, then run the command."""
    blas.settle()
    try:
        from experiments.command import main as command  # imports numpy, so not before this line

        sys.exit(command())
    except KeyboardInterrupt:
        sys.exit(130)  # what a shell calls a command that Ctrl-C ended


if __name__ == "__main__":
    main()
