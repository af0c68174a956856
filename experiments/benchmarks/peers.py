"""The same training step as other libraries' users write it: torch (eager), JAX (jitted), scikit-learn.

All but scikit-learn, which draws its own, begin with the weights of npnet's network, and so come to the same ones.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from experiments.benchmarks.timing import Contender
from npnet import Network, generator, mlp

__all__ = ["PEERS", "RATE", "layers_of", "start_of", "torch_linears", "torch_network"]

RATE = 0.01


def start_of(widths: Sequence[int], activation: str = "relu", dropout: tuple[float, ...] = ()) -> Network:
    """Return the network that every contender begins with; its head is "task"."""
    return mlp(widths[:-1], {"task": widths[-1]}, generator(0), activation=activation, dropout=dropout)


def layers_of(network: Network) -> list[dict[str, Any]]:
    """Return the parameters of each layer, the head's last."""
    return [*network.trunk, network.heads["task"]]


def torch_network(layers: Sequence[dict[str, Any]], dropout: Sequence[float] = ()) -> Any:
    """Return torch's network with the weights of npnet's layers: linear, ReLU and, where it has a rate, dropout."""
    import torch

    torch.set_num_threads(1)
    modules: list[Any] = []
    for i, p in enumerate(layers):
        linear = torch.nn.Linear(*p["W"].shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(p["W"].T.copy()))
            linear.bias.copy_(torch.from_numpy(p["b"]))
        modules += [linear, torch.nn.ReLU()] if i < len(layers) - 1 else [linear]
        modules += [torch.nn.Dropout(dropout[i])] if i < min(len(dropout), len(layers) - 1) else []
    return torch.nn.Sequential(*modules)


def torch_linears(network: Any) -> list[Any]:
    """Return the linear modules of torch's network."""
    return [module for module in network if hasattr(module, "weight")]


def torch_eager(widths: Sequence[int], X: np.ndarray, labels: np.ndarray) -> Contender:
    """Return torch's step: modules, autograd, torch.optim.SGD."""
    import torch

    network = torch_network(layers_of(start_of(widths)))
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    loss, inputs, targets = torch.nn.CrossEntropyLoss(), torch.from_numpy(X), torch.from_numpy(labels)

    def make(steps: int) -> list[Any]:
        for _ in range(steps):
            optimizer.zero_grad()
            loss(network(inputs), targets).backward()
            optimizer.step()
        return [w.detach() for layer in torch_linears(network) for w in (layer.weight.T, layer.bias)]

    return make


def jax_jitted(widths: Sequence[int], X: np.ndarray, labels: np.ndarray) -> Contender:
    """Return JAX's step: gradient and update in one jitted function that reuses the parameters' memory."""
    import jax
    import jax.numpy as jnp

    def loss(parameters: Any, X: Any, labels: Any) -> Any:
        for W, b in parameters[:-1]:
            X = jax.nn.relu(X @ W + b)
        W, b = parameters[-1]
        return -jax.nn.log_softmax(X @ W + b)[jnp.arange(len(labels)), labels].mean()

    def step(parameters: Any, X: Any, labels: Any) -> Any:
        return jax.tree.map(lambda w, dw: w - RATE * dw, parameters, jax.grad(loss)(parameters, X, labels))

    jitted = jax.jit(step, donate_argnums=0)
    state = [[(jnp.asarray(p["W"]), jnp.asarray(p["b"])) for p in layers_of(start_of(widths))]]
    inputs, targets = jnp.asarray(X), jnp.asarray(labels)

    def make(steps: int) -> list[Any]:
        for _ in range(steps):
            state[0] = jitted(state[0], inputs, targets)
        jax.block_until_ready(state[0])
        return [w for pair in state[0] for w in pair]

    return make


def scikit_learn(widths: Sequence[int], X: np.ndarray, labels: np.ndarray) -> Contender:
    """Return scikit-learn's step: MLPClassifier.partial_fit over many batches, its checks shared among them."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        widths[1:-1], solver="sgd", momentum=0.0, alpha=0.0, batch_size=len(X), learning_rate_init=RATE, shuffle=False
    )

    def make(steps: int) -> MLPClassifier:
        model.partial_fit(np.tile(X, (steps, 1)), np.tile(labels, steps), classes=np.arange(widths[-1]))
        return model

    return make


PEERS: dict[str, tuple[str, Callable[..., Contender]]] = {
    "torch": ("torch eager", torch_eager),
    "jax": ("JAX jitted", jax_jitted),
    "sklearn": ("scikit-learn", scikit_learn),
}
"""The peers by the module they need."""
