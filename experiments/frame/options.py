"""Command-line options that change a preset, made from the fields of the dataclass that the preset is."""

import re
from dataclasses import field, fields, make_dataclass
from inspect import cleandoc
from typing import Annotated, Any, get_type_hints

from tyro.conf import arg

__all__ = ["changes_of", "given", "meanings"]


def changes_of(kind: type[Any]) -> type[Any]:
    """Return a dataclass with the fields of another, each None where it is not given on the command line."""
    hints, texts = get_type_hints(kind), meanings(kind)
    options = [
        (
            each.name,
            Annotated[
                hints[each.name] | None, arg(help=texts[each.name], help_behavior_hint="(default: the preset's)")
            ],
            field(default=None),
        )
        for each in fields(kind)
    ]
    return make_dataclass(f"{kind.__name__}Changes", options, frozen=True)


def given(changes: Any) -> dict[str, Any]:
    """Return the options that were given, by name."""
    return {each.name: value for each in fields(changes) if (value := getattr(changes, each.name)) is not None}


def meanings(kind: type[Any]) -> dict[str, str]:
    """Return {field: meaning} from the Attributes in the docstrings of a dataclass and of those it inherits from."""
    texts: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        _, _, attributes = cleandoc(each.__doc__ or "").partition("Attributes:\n")
        found = re.findall(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", attributes, re.M)
        texts |= {name: " ".join(text.split()) for name, text in found}
    return texts
