"""Reads the conformance set: small functions with their inputs, parameters, values and exact gradients.

Any code that computes gradients can be compared with them: `python -m npnet.check.conformance --against torch`. What an
adapter of another framework must do is said in `npnet.check.conformance.adapters`.

The set has two folders: `networks/` has small networks, and `points/` single functions where frameworks differ most. In
each, `index.json` says for each case what is computed, and a `.npz` for each case has the numbers, float64 and int64,
read with allow_pickle=False. A case is a chain of layers, a loss of its outputs, and penalties (see `formulas`).

index.json: `version`; `cases`, a list of
    name, file, sha256   its name, the file with its numbers, the SHA-256 of that file
    layers               linear, relu, tanh, sigmoid, dropout, normalise and more, from the inputs up
    loss                 cross_entropy or squared_error, means over the examples, or sum
    penalties            each: kind (l2, l1, group_lasso), strength, epsilon (it rounds off the kink; 0: not), of (the
                         parameters, as "0/W" for W of layer 0)
    kink                 whether something is at a kink, where the gradient is the subgradient of smallest norm
    condition            how many times the rounding errors of the inputs may grow (1, or the largest logit)

The file of a case:
    X (N, D)             the inputs
    targets              (N,) class numbers or (N, K), empty for the loss sum
    p/<layer>/<name>     parameters: W (D, K), b (K,), and gamma (K,) of normalise
    factor/<layer>       (N, K), what dropout multiplies by
    weights (N,), class_weights (K,), anchor/<layer>/<name>, scale/<layer>/<name>   if the case has them
    value, d/X, d/<layer>/<name>   the answers

The formulas are in `reference.py`. The answers were computed from them by the complex step in extended precision (64
bits of fraction), and rounded once. No way back was used. If a number has to change, a new version is made, and the old
one is kept.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from npnet.arguments import checked

__all__ = ["FOLDERS", "Example", "WeightedPenalty", "examples"]

FOLDERS = Path(__file__).parent / "networks", Path(__file__).parent / "points"


@checked
@dataclass(frozen=True)
class WeightedPenalty:
    """strength · penalty(p[layer][name]), with anchor and scale (None: zero and one). epsilon rounds off its kink."""

    kind: str
    strength: float
    layer: int
    name: str
    anchor: Any = None
    scale: Any = None
    epsilon: float = 0.0


@checked
@dataclass(frozen=True)
class Example:
    """A case of the set: what is computed, from which numbers, and the answers, if they are known.

    p: a dict of parameters for each layer.
    factors: what dropout multiplies by, for each dropout layer.
    value, gradients: the answers. The keys of the gradients are "X" and "<layer>/<name>".
    """

    name: str
    layers: Sequence[str]
    loss: str
    X: Any
    targets: Any
    p: Sequence[Mapping[str, Any]]
    penalties: Sequence[WeightedPenalty] = ()
    factors: Mapping[int, Any] = field(default_factory=dict)
    weights: Any = None
    class_weights: Any = None
    kink: bool = False
    condition: float = 1.0
    value: float = float("nan")
    gradients: Mapping[str, Any] = field(default_factory=dict)

    @property
    def inputs(self) -> dict[str, Any]:
        """Return what the gradients are taken of: "X", and each parameter as "<layer>/<name>"."""
        return {"X": self.X, **{f"{i}/{name}": w for i, p in enumerate(self.p) for name, w in p.items()}}


@checked
def examples(*folders: Path) -> Iterator[Example]:
    """Yield every case of some folders, of the whole set by default.

    Raises ValueError for an unknown version, for a file that was altered, and for a case without one of its fields.
    """
    for folder in folders or FOLDERS:
        index = json.loads((folder / "index.json").read_text("utf-8"))
        if index["version"] != 1:
            raise ValueError(f"version of {folder / 'index.json'} is {index['version']}; expected 1")
        for about in index["cases"]:
            name = about.get("name", about)
            try:
                content = (folder / about["file"]).read_bytes()
                digest = hashlib.sha256(content).hexdigest()
                if digest != about["sha256"]:
                    raise ValueError(f"{about['file']} has SHA-256 {digest}; expected {about['sha256']}")
                with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                    yield _example(about, dict(archive))
            except KeyError as error:
                raise ValueError(f"case {name!r} has no field {error}") from error


def _example(about: Mapping[str, Any], arrays: Mapping[str, Any]) -> Example:
    p: list[dict[str, Any]] = [{} for _ in about["layers"]]
    for key, array in arrays.items():
        if key.startswith("p/"):
            _, layer, name = key.split("/")
            p[int(layer)][name] = array
    penalties = []
    for penalty in about["penalties"]:
        for path in penalty["of"]:
            layer, name = path.split("/")
            around = arrays.get(f"anchor/{path}"), arrays.get(f"scale/{path}")
            penalties.append(
                WeightedPenalty(penalty["kind"], penalty["strength"], int(layer), name, *around, penalty["epsilon"])
            )
    return Example(
        about["name"],
        about["layers"],
        about["loss"],
        arrays["X"],
        arrays["targets"],
        p,
        penalties,
        {i: arrays[f"factor/{i}"] for i, kind in enumerate(about["layers"]) if kind == "dropout"},
        arrays.get("weights"),
        arrays.get("class_weights"),
        about["kink"],
        about["condition"],
        float(arrays["value"]),
        {key[2:]: array for key, array in arrays.items() if key.startswith("d/")},
    )
