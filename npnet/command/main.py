"""The command line: `python -m npnet train data.csv` and `python -m npnet transfer old.npz new.csv`."""

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from npnet.command.work import METHODS, Outcome, train_table, transfer_table

__all__ = ["main"]


def _widths(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


def _scale(text: str) -> str | float:
    return text if text in ("standard", "none") else float(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m npnet", description="Train a neural network on your own table.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="train | transfer")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--target", default=-1, help="column to predict, by its name; the last one if not given")
    common.add_argument("--out", type=Path, help="name of the files to write, without an ending; default: the table's")
    common.add_argument("--seed", type=int, default=0, help="of everything random; default 0")
    common.add_argument("--epochs", type=int, default=500, help="passes through the table at most; default 500")
    common.add_argument("--patience", type=int, default=20, help="epochs without improvement; default 20")
    common.add_argument("--rate", type=float, default=0.001, help="learning rate; default 0.001")
    one = commands.add_parser("train", parents=[common], help="train a network on a table")
    one.add_argument("table", type=Path, help="a file of values apart by commas, semicolons or tabs")
    one.add_argument("--hidden", type=_widths, default=(200, 200), help="units of each hidden layer; default 200,200")
    one.add_argument("--scale", type=_scale, default="standard", help="a number to divide by, standard or none")
    two = commands.add_parser("transfer", parents=[common], help="let a trained network learn another table")
    two.add_argument("network", type=Path, help="an .npz file that train wrote; its .json is read too")
    two.add_argument("table", type=Path, help="the new table, with the columns of the old one")
    two.add_argument("--method", choices=[*METHODS], default="gradual", help="how it learns; default gradual")
    two.add_argument("--keep-old", type=Path, metavar="TABLE", help="the old table: say what is still known of it")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Train or transfer, print what came of it, and return the exit status: 2 for what cannot be read."""
    given = _parser().parse_args(arguments)
    usual: dict[str, Any] = {
        key: getattr(given, key) for key in ("target", "out", "seed", "epochs", "patience", "rate")
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what they say of inputs is printed below
            if given.command == "train":
                own: dict[str, Any] = {"hidden": given.hidden, "scale": given.scale}
                places = [given.table]
                outcome = train_table(given.table, **usual, **own, progress=True)
            else:
                own = {"method": given.method, "keep_old": given.keep_old}
                places = [given.network, given.table]
                outcome = transfer_table(given.network, given.table, **usual, **own, progress=True)
    except (OSError, ValueError, FloatingPointError) as error:
        print(f"npnet: {error}", file=sys.stderr)
        return 2
    _say(outcome)
    default = vars(_parser().parse_args([given.command, *map(str, places)]))
    changed = [f"{key}={_shown(each)}" for key, each in (usual | own).items() if each != default[key]]
    listed = ", ".join([*(repr(str(place)) for place in places), *changed])
    print("\nThe same in Python:\n")
    print(f"    from npnet.command import {given.command}_table")
    print(f"    outcome = {given.command}_table({listed})")
    return 0


def _shown(value: object) -> str:
    return repr(str(value)) if isinstance(value, Path) else repr(value)


def _say(outcome: Outcome) -> None:
    unit = "" if outcome.task.train.kind == "values" else " %"
    print(outcome.task)
    print(f"{len(outcome.history)} epochs")
    low, high = outcome.interval
    what = "root mean squared error" if not unit else "misclassified"
    print(f"test error: {outcome.error:.3g}{unit} {what} (95 % interval {low:.3g} to {high:.3g}{unit})")
    if outcome.old is not None:
        before, after = outcome.old
        print(f"old table: {before:.3g}{unit} before, {after:.3g}{unit} now")
    print("written: " + ", ".join(map(str, outcome.files)))
