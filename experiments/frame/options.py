"""Options that change a preset, made from the fields of the preset's dataclass, and how options are shown."""

import re
from dataclasses import MISSING, Field, field, fields, make_dataclass
from inspect import cleandoc
from typing import Annotated, Any, get_args, get_type_hints

from tyro.conf import arg

__all__ = ["changes_of", "given", "meanings"]


def changes_of(kind: type[Any]) -> type[Any]:
    """Return a dataclass with the fields of another, each None where it is not given on the command line."""
    hints, texts, options = get_type_hints(kind), meanings(kind), []
    for each in fields(kind):
        hint = hints[each.name]
        shown = arg(help=texts[each.name], metavar=_metavar(hint), help_behavior_hint=_default(kind, each))
        options.append((each.name, Annotated[hint | None, shown], field(default=None)))
    return make_dataclass(f"{kind.__name__}Changes", options, frozen=True)


def _metavar(hint: Any) -> str:
    """Return how the help shows the values of an option that may be None: their type, or all of them."""
    kind = next((each for each in get_args(hint) if type(None) in get_args(hint) and each is not type(None)), hint)
    values = get_args(kind) or ((True, False) if kind is bool else ())
    return "{" + ",".join(map(str, values)) + "}" if values else kind.__name__.upper()


def _default(kind: type[Any], option: Field[Any]) -> str:
    """Return what the help says of a default: the preset's, and the paper's where the dataclass itself has it."""
    known = option.name in kind.__annotations__ and option.default not in (MISSING, None)
    return f"(default: the preset's; paper: {option.default})" if known else "(default: the preset's)"


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
