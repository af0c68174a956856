"""Update policies: which layers may move when, from the validation history alone.

    policy(history, depth) -> mask           history: the validation error of every epoch so far

A mask mirrors the layers, `depth` hidden ones from the bottom and then the head: 0 freezes a layer, 1 trains it, any
other number is that layer's share of the learning rate. An entry may also be a dict that names single arrays, and
leaves out what is frozen: {"b": 1} refits the biases alone. A share may be an array of the parameter's own shape. A
mask of zeros alone ends a run. A plain function is a policy; so is a `Policy`, which can also ask patience to wait.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar

from npnet.arrays import Array

__all__ = [
    "Entry",
    "FineTuning",
    "Mask",
    "Policy",
    "Share",
    "mask_of",
    "summary",
    "top_layers",
    "trains",
    "waits",
]

Share = float | Array
Entry = float | Mapping[str, Share]
Mask = tuple[Entry, ...]


class Policy:
    """A policy with a name. gradual: layers join one by one, and patience waits for the last of them."""

    gradual: ClassVar[Any] = False

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return the mask of the epoch that follows this history."""
        raise NotImplementedError


@dataclass(frozen=True)
class FineTuning(Policy):
    """Every layer trains from the first step."""

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return ones."""
        return (1.0,) * (depth + 1)


def waits(policy: Callable[..., Mask]) -> bool:
    """Report whether patience waits until a policy has let every layer join; for a plain function it does not."""
    return isinstance(policy, Policy) and bool(policy.gradual)


def top_layers(layers: int, depth: int) -> Mask:
    """Return the mask that trains the head and this many hidden layers below it."""
    layers = min(layers, depth)
    return (0.0,) * (depth - layers) + (1.0,) * (layers + 1)


def mask_of(policy: Callable[[Sequence[float], int], Sequence[Any]], history: Sequence[float], depth: int) -> Mask:
    """Ask a policy for a mask and return it with plain numbers. Raises ValueError for what is no mask of such depth."""
    given = policy(history, depth)
    try:
        mask = tuple(_by_name(each) if isinstance(each, Mapping) else _number(each) for each in given)
    except (TypeError, ValueError) as error:
        raise ValueError(f"mask is {given!r}; expected {depth + 1} finite numbers from 0, or dicts of them") from error
    if len(mask) != depth + 1:
        raise ValueError(f"mask is {given!r}; expected {depth + 1} numbers: every hidden layer's and the head's")
    return mask


def _by_name(entry: Mapping[str, Any]) -> Entry:
    for share in entry.values():
        if getattr(share, "shape", ()) and not bool(((share >= 0) & (share < inf)).all()):
            raise ValueError(f"share is {share!r:.80}; expected finite numbers from 0")
    return {name: share if getattr(share, "shape", ()) else _number(share) for name, share in entry.items()}


def _number(share: Any) -> float:
    if not 0 <= share < inf:
        raise ValueError(f"share is {share!r}; expected a finite number from 0")
    return float(share)


def trains(entry: Entry | Share) -> bool:
    """Report whether anything of a layer moves under its entry in a mask, or of a parameter under its share."""
    if isinstance(entry, Mapping):
        return any(map(trains, entry.values()))
    return bool(entry) if isinstance(entry, float) else bool(entry.any())


def summary(mask: Mask) -> list[Any]:
    """Return a mask as a record holds it: the mean of a share that is an array."""
    return [
        {name: share if isinstance(share, float) else float(share.mean()) for name, share in entry.items()}
        if isinstance(entry, Mapping)
        else entry
        for entry in mask
    ]
