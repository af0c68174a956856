"""To ONNX: a model of standard operators, which onnxruntime and many others compute."""

from pathlib import Path
from typing import Any

import numpy as np

from npnet.activations import ACTIVATIONS, LeakyReLU
from npnet.arguments import checked
from npnet.arrays import shown, to_host
from npnet.exchange.steps import Linear, head_of, own, steps_of
from npnet.layers import Dropout
from npnet.network import Network
from npnet.trees import write_atomically

__all__ = ["to_onnx"]

_OPSET, _IR = 20, 9  # the first operator set with Gelu, of 2023, and the file version that it came with
_OPERATORS = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "softplus": "Softplus", "gelu": "Gelu"}


@checked
def to_onnx(network: Network, path: str | Path, head: str | None = None) -> None:
    """Write a network as an ONNX model, from inputs "X" (N, D) to the "logits" (N, K) of a head, atomically.

    head: None for the only one. Dropout is left out. Weights are called hidden1.W, hidden1.b, …, head.W, head.b. Raises
    ValueError for layers that ONNX has no operator for.
    """
    import onnx
    from onnx import helper, numpy_helper

    network = network.with_arrays(to_host)
    name = head_of(network, head)
    nodes: list[Any] = []
    weights: dict[str, np.ndarray] = {}
    at = "X"
    for step_name, step in steps_of(network, name):
        if isinstance(step, Linear):
            new, arrays = _linear(helper, step_name, step, at)
            weights |= arrays
        elif isinstance(step, Dropout):
            continue
        else:
            new = _activation(helper, step_name, step, at)
        nodes += new
        at = new[-1].output[0]
    nodes[-1].output[0] = "logits"
    kind = helper.np_dtype_to_tensor_dtype(network.dtype)
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("X", kind, ["N", network.inputs])],
        [helper.make_tensor_value_info("logits", kind, ["N", len(network.head(name)["b"])])],
        [numpy_helper.from_array(own(array), each) for each, array in weights.items()],
    )
    imports = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(graph, producer_name="npnet", opset_imports=imports, ir_version=_IR)
    onnx.checker.check_model(model)
    write_atomically(path, model.SerializeToString())


def _linear(helper: Any, name: str, step: Linear, at: str) -> tuple[list[Any], dict[str, np.ndarray]]:
    """Return the nodes of a linear layer and its arrays by name: Y = X W + b, over patches as rows of their own."""
    W, b = f"{name}.W", f"{name}.b"
    arrays = {W: step.W, b: step.b}
    if step.patches == 1:
        return [helper.make_node("Gemm", [at, W, b], [name])], arrays
    rows, whole = f"{name}.rows", f"{name}.whole"
    arrays |= {rows: np.array([-1, len(step.W)]), whole: np.array([-1, step.patches * len(step.b)])}
    return [
        helper.make_node("Reshape", [at, rows], [f"{name}.patches"]),
        helper.make_node("Gemm", [f"{name}.patches", W, b], [f"{name}.each"]),
        helper.make_node("Reshape", [f"{name}.each", whole], [name]),
    ], arrays


def _activation(helper: Any, name: str, step: Any, at: str) -> list[Any]:
    if isinstance(step, LeakyReLU):
        return [helper.make_node("LeakyRelu", [at], [name], alpha=step.below)]
    if step is ACTIVATIONS["silu"]:
        gate = f"{name}.gate"
        return [helper.make_node("Sigmoid", [at], [gate]), helper.make_node("Mul", [at, gate], [name])]
    for ours, operator in _OPERATORS.items():
        if step is ACTIVATIONS[ours]:
            return [helper.make_node(operator, [at], [name])]
    raise ValueError(f"network has the activation {shown(step)}; expected one that ONNX has an operator for")
