"""The command line, `python -m experiments`: sets one BLAS thread before numpy is imported, then runs the command."""

import sys
from io import TextIOWrapper

from experiments.frame.threads import use_one_thread


def main() -> None:
    """Set one BLAS thread for this process and its workers, then run the command."""
    use_one_thread()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a letter that the terminal lacks must not end a study
    try:
        from experiments.command import main as run_command  # imports numpy, so not before this line

        sys.exit(run_command())
    except KeyboardInterrupt:
        sys.exit(130)  # what a shell calls a command that Ctrl-C ended


if __name__ == "__main__":
    main()
