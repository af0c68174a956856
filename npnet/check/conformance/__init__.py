"""The conformance set: small networks with inputs, parameters, values and gradients to the last bits, as plain files.

Whoever computes gradients can be held to them: `python -m npnet.check.conformance --against torch`. The set is in
`v1/`: `index.json`, which says for each case what is computed, and a `.npz` for each case with the numbers, float64
and int64, read with allow_pickle=False. A case is a chain of layers, a loss of its outputs, and penalties:

    value = loss(layer_n(… layer_1(X)), targets) + Σ strength · penalty(parameter)

index.json: `version`; `cases`, a list of
    name, file, sha256   what it is called, where its numbers are, the SHA-256 of that file
    layers               linear, relu, tanh, sigmoid, dropout, normalise, from the inputs up
    loss                 cross_entropy or squared_error, means over the examples
    penalties            each: kind (l2, l1, group_lasso), strength, epsilon (0, or what rounds its kink off), of (the
                         parameters, as "0/W" for W of layer 0)
    kink                 whether something is at a kink, where the gradient is the subgradient of smallest norm
    condition            how many times the rounding errors of the inputs may grow on the way (1, or the largest logit)
The file: `X` (N, D), `targets` ((N,) class numbers or (N, K)), `p/<layer>/<name>` parameters (W (D, K), b (K,), gamma
(K,) of normalise), `factor/<layer>` (N, K) what dropout multiplies by; where there are any, `weights` (N,),
`class_weights` (K,), `anchor/<layer>/<name>` and `scale/<layer>/<name>` of penalties; and the answers, `value`, `d/X`
and `d/<layer>/<name>`. The formulas are those of `reference.py`, in thirty lines.

The answers were computed in extended precision (64 bits of fraction) by the complex step through those formulas, so no
way back had a part in them, and rounded once. A change of any number makes a new version, beside the old one.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["FOLDER", "Example", "WeightedPenalty", "examples"]

FOLDER = Path(__file__).parent / "v1"


@dataclass(frozen=True)
class WeightedPenalty:
    """strength · penalty(p[layer][name]), with anchor and scale (None: zero and one); epsilon rounds off its kink."""

    kind: str
    strength: float
    layer: int
    name: str
    anchor: Any = None
    scale: Any = None
    epsilon: float = 0.0


@dataclass(frozen=True)
class Example:
    """A case of the set: what is computed, from which numbers, and the answers, where they are known.

    p: a dict of parameters for each layer. factors: what dropout multiplies by, by layer. gradients: by "X" and
    "<layer>/<name>".
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


def examples(folder: Path = FOLDER) -> Iterator[Example]:
    """Yield every case of a set. Raises ValueError for an unknown version, and a file that is not the index's."""
    index = json.loads((folder / "index.json").read_text())
    if index["version"] != 1:
        raise ValueError(f"version of {folder / 'index.json'} is {index['version']}; expected 1")
    for about in index["cases"]:
        content = (folder / about["file"]).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if digest != about["sha256"]:
            raise ValueError(f"{about['file']} has SHA-256 {digest}; expected {about['sha256']}, as the index says")
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            yield _example(about, dict(archive))


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
