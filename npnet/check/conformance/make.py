"""Draws the cases and computes their answers: `python -m npnet.check.conformance.make FOLDER` writes the whole set.

It needs a machine whose long double has 64 bits of fraction or more, as on x86. Between machines the last bit of one
number in a thousand may differ, which is why the files are kept and not recomputed.
"""

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from npnet.arrays import generator
from npnet.check.conformance import Example, WeightedPenalty
from npnet.check.conformance.formulas import value_of
from npnet.check.conformance.points import points
from npnet.check.conformance.reference import FUNCTIONS

__all__ = ["SETS", "answered", "drawn", "write"]

H = np.longdouble("1e-2500")  # its square is below the smallest number of extended precision


def drawn() -> Iterator[Example]:
    """Yield every example without its answers."""
    for kind in ("relu", "tanh", "sigmoid"):
        yield _network(kind, ["linear", kind, "linear", kind, "linear"])
    yield _network("dropout", ["linear", "relu", "dropout", "linear"])
    yield _network("normalise", ["linear", "tanh", "normalise", "linear"])
    body = ["linear", "tanh", "linear"]
    rng = generator(1, "conformance")
    weights, classes = rng.random(5) + 0.1, rng.random(3) + 0.1
    yield replace(_network("cross_entropy, example weights", body), weights=weights)
    yield replace(_network("cross_entropy, class weights", body), class_weights=classes)
    yield replace(_network("cross_entropy, both weights", body), weights=weights, class_weights=classes)
    far = _network("cross_entropy, far logits", body)
    yield replace(far, p=[*far.p[:2], {"W": 64 * far.p[2]["W"], "b": far.p[2]["b"]}], condition=128.0)
    yield _network("squared_error", body, "squared_error")
    yield _network("squared_error, relu", ["linear", "relu", "linear"], "squared_error")
    for kind in ("l2", "l1", "group_lasso"):
        for around in ("", ", anchor", ", anchor and scale"):
            yield _penalised(kind + around, kind, around)
    for kind in ("l1", "group_lasso"):
        yield _penalised(f"{kind}, rounded off", kind, ", anchor and scale", epsilon=0.125)
    yield from _kinked()
    whole = _penalised(
        "everything", "l2", ", anchor and scale", ["linear", "relu", "dropout", "linear", "tanh", "normalise", "linear"]
    )
    kinds = (("l2", 0.1), ("l1", 0.05), ("group_lasso", 0.02))
    yield replace(whole, penalties=[replace(q, kind=k, strength=s) for k, s in kinds for q in whole.penalties])


def _network(name: str, layers: list[str], loss: str = "cross_entropy", eighths: bool = False) -> Example:
    rng = generator(0, "conformance", name)

    def some(*shape: int) -> Any:
        return rng.integers(-8, 9, shape) / 8 if eighths else rng.standard_normal(shape)

    N, D, hidden, K = 5, 4, 3, 3
    p: list[dict[str, Any]] = []
    factors, width = {}, D
    for i, kind in enumerate(layers):
        p.append({})
        if kind == "linear":
            out = K if "linear" not in layers[i + 1 :] else hidden
            p[-1], width = {"W": some(width, out), "b": some(out)}, out
        elif kind == "normalise":
            p[-1] = {"gamma": abs(some(width)) + 0.5}
        elif kind == "dropout":
            factors[i] = (rng.random((N, width)) < 0.6) / 0.6
    X = some(N, D)
    targets = rng.integers(0, K, N) if loss == "cross_entropy" else some(N, K)
    return Example(name, layers, loss, X, targets, p, factors=factors)


def _penalised(
    name: str, kind: str, around: str, layers: list[str] | None = None, epsilon: float = 0.0, eighths: bool = False
) -> Example:
    network = _network(name, layers or ["linear", "tanh", "linear"], eighths=eighths)
    rng, penalties = generator(2, "conformance", name), []
    for i, p in enumerate(network.p):
        if "W" in p:
            shape = p["W"].shape
            anchor = rng.integers(-8, 9, shape) / 8 if eighths else rng.standard_normal(shape)
            scale = rng.random(shape) + 0.1
            about = anchor if around else None, scale if "scale" in around else None
            penalties.append(WeightedPenalty(kind, 0.1, i, "W", *about, epsilon))
    return replace(network, penalties=penalties)


def _kinked() -> Iterator[Example]:
    """Yield examples at kinks. Their numbers are eighths, whose sums are exact, so every framework is at the kink."""
    network = _network("kink: relu", ["linear", "relu", "linear"], eighths=True)
    X, first = network.X.copy(), {key: a.copy() for key, a in network.p[0].items()}
    X[0], first["b"][0] = 0.0, 0.0
    X[1, :2], first["W"][:2, 1], first["b"][1] = (0.5, -0.25), (0.25, 0.5), 0.0
    X[1, 2:] = 0.0
    yield replace(network, X=X, p=[first, *network.p[1:]], kink=True)
    for kind in ("l1", "group_lasso"):
        network = _penalised(f"kink: {kind}", kind, ", anchor", eighths=True)
        p = [{key: a.copy() for key, a in each.items()} for each in network.p]
        for q in network.penalties:
            p[q.layer]["W"][:, 0] = q.anchor[:, 0]
            p[q.layer]["W"][0, 1] = q.anchor[0, 1]
        yield replace(network, p=p, kink=True)
    network = _network("kink: normalise", ["linear", "normalise", "linear"], eighths=True)
    X, first = network.X.copy(), {key: a.copy() for key, a in network.p[0].items()}
    X[0], first["b"][:] = 0.0, 0.0
    X[1:] += (X[1:] == 0) / 8
    yield replace(network, X=X, p=[first, *network.p[1:]], kink=True)


def answered(e: Example) -> Example:
    """Return an example with its value and gradients: Im value(w + ih)/h, entry by entry, rounded once."""
    inputs = {path: w.astype(np.longdouble) for path, w in e.inputs.items()}

    def value(arrays: dict[str, Any]) -> Any:
        return value_of(e, FUNCTIONS, arrays, lambda a: a.astype(np.longdouble))

    gradients = {path: np.zeros(w.shape) for path, w in inputs.items()}
    for path, gradient in gradients.items():
        for index in np.ndindex(*gradient.shape):
            moved = inputs[path].astype(np.clongdouble)
            moved[index] += H * np.clongdouble(1j)
            gradient[index] = float(value({**inputs, path: moved}).imag / H)
    return replace(e, value=float(value(inputs)), gradients=gradients)


SETS = {"networks": drawn, "points": points}
"""What each folder of the set holds."""


def write(folder: Path, drawn: Callable[[], Iterator[Example]]) -> None:
    """Write the index and every file of what is drawn."""
    if np.finfo(np.longdouble).nmant < 63:
        raise ValueError(f"long double has {np.finfo(np.longdouble).nmant} bits of fraction; expected 63 or more")
    folder.mkdir(parents=True, exist_ok=True)
    cases = []
    for e in map(answered, drawn()):
        arrays: dict[str, Any] = {"X": e.X, "targets": e.targets, "value": np.asarray(e.value)}
        arrays |= {f"p/{i}/{key}": a for i, each in enumerate(e.p) for key, a in each.items()}
        arrays |= {f"factor/{i}": a for i, a in e.factors.items()}
        arrays |= {key: a for key in ("weights", "class_weights") if (a := getattr(e, key)) is not None}
        for q in e.penalties:
            around = {"anchor": q.anchor, "scale": q.scale}
            arrays |= {f"{key}/{q.layer}/{q.name}": a for key, a in around.items() if a is not None}
        arrays |= {f"d/{path}": g for path, g in e.gradients.items()}
        content = BytesIO()
        np.savez_compressed(content, allow_pickle=False, **arrays)
        name = re.sub(r"[^a-zA-Z0-9]+", "_", e.name.replace("−", "minus ")).strip("_") + ".npz"
        (folder / name).write_bytes(content.getvalue())
        kinds = dict.fromkeys((q.kind, q.strength, q.epsilon) for q in e.penalties)
        of = {kind: [f"{q.layer}/{q.name}" for q in e.penalties if q.kind == kind] for kind, _, _ in kinds}
        penalties = [{"kind": k, "strength": s, "epsilon": eps, "of": of[k]} for k, s, eps in kinds]
        about = {"name": e.name, "file": name, "sha256": hashlib.sha256(content.getvalue()).hexdigest()}
        about |= {"layers": list(e.layers), "loss": e.loss, "penalties": penalties}  # type: ignore[dict-item]
        cases.append({**about, "kink": e.kink, "condition": e.condition})
    (folder / "index.json").write_text(
        json.dumps({"version": 1, "cases": cases}, indent=1, ensure_ascii=False) + "\n", "utf-8"
    )


if __name__ == "__main__":
    for name, drawn_of in SETS.items():
        write(Path(sys.argv[1]) / name, drawn_of)
