"""What `python -m experiments` prints without a command: all commands in groups, with one plain line each."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from inspect import cleandoc
from textwrap import fill

__all__ = ["PROGRAM", "description", "expected", "overview"]

PROGRAM = "python -m experiments"
Groups = Mapping[str, Mapping[str, type]]


def overview(groups: Groups) -> str:
    """Return the page of help: {title of a group: {name: command}}; a command's line is the first of its docstring."""
    width = max(len(name) for commands in groups.values() for name in commands)
    lines = [f"usage: {PROGRAM} COMMAND [options]", "", "Studies of how networks learn, transfer and forget."]
    for title, commands in groups.items():
        lines += ["", title]
        lines += [f"  {name:{width}}  {first_line(command)}" for name, command in commands.items()]
    return "\n".join([*lines, "", f"{PROGRAM} COMMAND --help shows the options of a command."])


def first_line(command: type) -> str:
    """Return the first line of a command's docstring."""
    return (command.__doc__ or "").strip().splitlines()[0]


def description(command: type, columns: int = 80) -> str:
    """Return a command's docstring without its Attributes, in lines of so many columns."""
    paragraphs = cleandoc(command.__doc__ or "").partition("Attributes:")[0].strip().split("\n\n")
    return "\n\n".join(fill(" ".join(each.split()), columns) for each in paragraphs)


def expected(name: str, names: Iterable[str]) -> str:
    """Return what a name that is no command's may have been meant to be."""
    near = get_close_matches(name, names, 1)
    return repr(near[0]) if near else f"one of those that {PROGRAM} --help shows"
