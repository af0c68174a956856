"""Computes an example of the conformance set with PyTorch: its functions and torch.autograd, in float64."""

from typing import Any

import torch
from torch.nn import functional

from npnet.check.conformance import Example, WeightedPenalty

__all__ = ["evaluate"]


def evaluate(e: Example) -> tuple[Any, dict[str, Any]]:
    """Return value and gradients of an example."""
    X = torch.tensor(e.X, requires_grad=True)
    p = [{key: torch.tensor(w, requires_grad=True) for key, w in each.items()} for each in e.p]
    H = X
    for i, kind in enumerate(e.layers):
        if kind == "linear":
            H = functional.linear(H, p[i]["W"].T, p[i]["b"])
        elif kind == "dropout":
            H = H * torch.tensor(e.factors[i])
        elif kind == "normalise":
            H = p[i]["gamma"] * functional.normalize(H, dim=-1)
        else:
            H = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}[kind](H)
    targets = torch.tensor(e.targets)
    if e.loss == "squared_error":
        value = functional.mse_loss(H, targets, reduction="sum") / (2 * len(H))
    else:
        w = torch.ones(len(H), dtype=H.dtype) if e.weights is None else torch.tensor(e.weights)
        w = w if e.class_weights is None else w * torch.tensor(e.class_weights)[targets]
        value = (w * functional.cross_entropy(H, targets, reduction="none")).sum() / w.sum()
    value = value + sum(penalty(q, p[q.layer][q.name]) for q in e.penalties)
    value.backward()
    named = {"X": X, **{f"{i}/{key}": w for i, each in enumerate(p) for key, w in each.items()}}
    return value.item(), {path: w.grad.numpy() for path, w in named.items()}


def penalty(q: WeightedPenalty, w: torch.Tensor) -> torch.Tensor:
    """Return strength times a penalty."""
    delta = w if q.anchor is None else w - torch.tensor(q.anchor)
    s = torch.ones_like(w) if q.scale is None else torch.tensor(q.scale)
    if q.kind == "l2":
        return q.strength * (s * delta**2).sum() / 2
    if q.kind == "l1":
        return q.strength * (s * (torch.sqrt(delta**2 + q.epsilon**2) if q.epsilon else delta.abs())).sum()
    if q.epsilon:
        return q.strength * len(w) ** 0.5 * torch.sqrt((s * delta**2).sum(0) + q.epsilon**2).sum()
    return q.strength * len(w) ** 0.5 * torch.linalg.vector_norm(s.sqrt() * delta, dim=0).sum()
