"""From and to PyTorch: `torch.nn.Linear` keeps its weight as (outputs, inputs), which is Wᵀ."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npnet.activations import ACTIVATIONS, LeakyReLU, identity
from npnet.arguments import checked
from npnet.arrays import Array, shown
from npnet.exchange.steps import Linear, Step, head_of, network_of, own, steps_of
from npnet.layers import Dropout, Layer
from npnet.network import Network
from npnet.parts import activation_of

__all__ = ["from_torch", "to_torch"]


@checked
def from_torch(source: Any, head: str = "task", activation: Layer | str = "relu") -> Network:
    """Return the network of a torch.nn.Sequential, or of a state dict, with copies of its weights.

    source: a Sequential, nested ones too, of Linear, activations, Dropout and Flatten. A Softmax, LogSoftmax or Sigmoid
    at its end is left out, for a head gives logits. Or a mapping of names to tensors or arrays, as `state_dict()`
    returns it: linear layers alone, in their order, with `activation` between them, since weights do not tell which.
    Raises ValueError for anything else that is in it, naming it.
    """
    if isinstance(source, Mapping):
        return network_of(_steps_of_weights(source, activation), head, "the state dict")
    import torch

    if not isinstance(source, torch.nn.Sequential):
        raise ValueError(
            f"source is a {type(source).__name__}, which may do anything with its parts; expected a "
            "torch.nn.Sequential, or its state_dict() with the activation between its linear layers"
        )
    modules = list(_flat(source))
    if modules and isinstance(modules[-1], torch.nn.Softmax | torch.nn.LogSoftmax | torch.nn.Sigmoid):
        modules.pop()
    steps = [_step(module) for module in modules if not isinstance(module, torch.nn.Flatten | torch.nn.Identity)]
    return network_of(steps, head, "the module")


def _flat(module: Any) -> Iterator[Any]:
    """Yield the modules of nested Sequentials in order."""
    import torch

    for each in module.children():
        if isinstance(each, torch.nn.Sequential):
            yield from _flat(each)
        else:
            yield each


def _step(module: Any) -> Step:
    """Return a module as a step. Raises ValueError for one that npnet does not have."""
    from torch import nn

    if isinstance(module, nn.Linear):
        bias = np.zeros(module.out_features) if module.bias is None else module.bias
        W = _array(module.weight)
        return Linear(own(W.T), _array(bias).astype(W.dtype))
    if isinstance(module, nn.Dropout):
        return Dropout(module.p)
    if isinstance(module, nn.LeakyReLU):
        return LeakyReLU(module.negative_slope)
    for kind, name, options in _activations():
        if isinstance(module, kind) and all(getattr(module, key) == value for key, value in options.items()):
            return ACTIVATIONS[name]
    raise ValueError(f"module has {shown(module)}, which npnet does not have; expected Linear, activations or Dropout")


def _activations() -> list[tuple[Any, str, dict[str, Any]]]:
    """Return torch's modules, npnet's activation, and the options with which the two are the same."""
    from torch import nn

    return [
        (nn.ReLU, "relu", {}),
        (nn.Tanh, "tanh", {}),
        (nn.Sigmoid, "sigmoid", {}),
        (nn.SiLU, "silu", {}),
        (nn.GELU, "gelu", {"approximate": "none"}),
        (nn.Softplus, "softplus", {"beta": 1}),
    ]


def _array(tensor: Any) -> Array:
    """Return a copy of a tensor or an array on the host; what NumPy has no name for, as bfloat16, becomes float32."""
    if not hasattr(tensor, "detach"):
        return own(tensor)
    import torch

    tensor = tensor.detach().cpu()
    known = tensor.dtype in (torch.float16, torch.float32, torch.float64)
    return own((tensor if known else tensor.float()).numpy())


def _steps_of_weights(source: Mapping[str, Any], activation: Layer | str) -> list[Step]:
    """Return the steps of a state dict. Raises ValueError for entries that are not of linear layers."""
    weights = {name.removesuffix("weight"): _array(value) for name, value in source.items() if name.endswith("weight")}
    biases = {name.removesuffix("bias"): _array(value) for name, value in source.items() if name.endswith("bias")}
    wrong = [f"{name}weight {w.shape}" for name, w in weights.items() if w.ndim != 2]
    wrong += [f"{name}bias" for name in biases if name not in weights]
    wrong += [name for name in source if not name.endswith(("weight", "bias"))]
    if wrong or not weights:
        has = ", ".join(wrong) or "no weights"
        raise ValueError(f"source has {has}; expected the state dict of linear layers: weight (K, D) and bias (K,)")
    steps: list[Step] = []
    for name, w in weights.items():
        steps += [activation_of(activation, 1)] if steps else []
        steps.append(Linear(own(w.T), biases.get(name, np.zeros(len(w), w.dtype))))
    return [step for step in steps if step is not identity]


@checked
def to_torch(network: Network, head: str | None = None) -> Any:
    """Return a torch.nn.Sequential with copies of a network's weights, from the inputs to the logits of a head.

    head: None for the only one. Its modules are called hidden1, activation1, dropout1, …, head. It is set to evaluate,
    so that it computes what the network does; `.train()` turns dropout on. Raises ValueError for layers that PyTorch
    does not have.
    """
    modules: OrderedDict[str, Any] = OrderedDict()
    for name, step in steps_of(network, head_of(network, head)):
        modules |= {name: _module(step)} if not isinstance(step, Linear) else _linear_modules(name, step)
    from torch import nn

    return nn.Sequential(modules).eval()


def _linear_modules(name: str, step: Linear) -> dict[str, Any]:
    """Return a linear layer of torch, over patches between a reshaping and its reverse."""
    import torch
    from torch import nn

    W = torch.from_numpy(own(step.W.T))
    outputs, inputs = W.shape
    module = nn.Linear(inputs, outputs, dtype=W.dtype)
    with torch.no_grad():
        module.weight.copy_(W)
        module.bias.copy_(torch.from_numpy(own(step.b)))
    if step.patches == 1:
        return {name: module}
    patches = nn.Unflatten(1, (step.patches, len(step.W)))
    return {f"{name}_patches": patches, name: module, f"{name}_joined": nn.Flatten(1)}


def _module(step: Any) -> Any:
    from torch import nn

    if isinstance(step, Dropout):
        return nn.Dropout(step.rate)
    if isinstance(step, LeakyReLU):
        return nn.LeakyReLU(step.below)
    for kind, name, options in _activations():
        if step is ACTIVATIONS[name]:
            return kind(**options)
    raise ValueError(f"network has the activation {shown(step)}; expected one that PyTorch has too")
