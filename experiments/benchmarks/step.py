"""One training step beside the same step in torch (eager), JAX (jitted) and scikit-learn, on one core, in one run.

All but scikit-learn, which draws its own, begin with the same weights, and so come to the same ones. The floor is what
the step's floating-point operations take at the rate of this run's best large matrix product: no implementation that
does the same products can be faster.
"""

import os
from collections.abc import Callable, Sequence
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from experiments.benchmarks.timing import Contender, in_turn, one_core, print_missing, ratio, sgemm_rate, write
from npnet import SGD, Network, cross_entropy, generator, mlp
from npnet.objective import loss_at_head
from npnet.step import Move, Objective, Penalise, take_step

__all__ = ["main"]

NETWORKS = ((1024, 500, 500, 2), (1024, 1000, 1000, 1000, 2))
BATCHES = (20, 128)
RATE = 0.01


def operations(widths: Sequence[int], batch: int) -> int:
    """Return the multiplications and additions of a step: forward, dW, and dX of all layers but the lowest."""
    sizes = [fan_in * fan_out for fan_in, fan_out in pairwise(widths)]
    return 2 * batch * (3 * sum(sizes) - sizes[0])


def npnet_step(widths: Sequence[int], X: np.ndarray, labels: np.ndarray, activation: str = "relu") -> Contender:
    """Return npnet's step, as `npnet.train` makes it."""
    network = mlp(widths[:-1], {"task": widths[-1]}, generator(0), activation=activation)
    mask = (1.0,) * (len(widths) - 1)
    loss = loss_at_head(network, "task", cross_entropy, mask, lambda below: lambda rows: (X, labels))
    take = steps_down(loss, np.arange(len(X)))

    def make(steps: int) -> list[Any]:
        take(steps)
        return [w for p in layers_of(network) for w in (p["W"], p["b"])]

    return make


def steps_down(objective: Objective, rows: np.ndarray) -> Callable[[int], None]:
    """Return the function that takes so many steps down an objective on some rows, as `npnet.train` takes them."""
    penalty, move, rng = Penalise(), Move(SGD(), RATE, {}), generator(1)

    def take(steps: int) -> None:
        for _ in range(steps):
            take_step(objective, penalty, move, rows, rng)

    return take


def layers_of(network: Network) -> list[dict[str, Any]]:
    """Return the parameters of each layer, the head's last."""
    return [*network.trunk, network.heads["task"]]


def torch_eager(widths: Sequence[int], X: np.ndarray, labels: np.ndarray) -> Contender:
    """Return torch's step: modules, autograd, torch.optim.SGD."""
    import torch

    torch.set_num_threads(1)
    layers: list[Any] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    start = layers_of(mlp(widths[:-1], {"task": widths[-1]}, generator(0)))
    with torch.no_grad():
        for layer, p in zip(layers[::2], start, strict=True):  # the other ones are activations
            layer.weight.copy_(torch.from_numpy(p["W"].T.copy()))
            layer.bias.copy_(torch.from_numpy(p["b"]))
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    loss, inputs, targets = torch.nn.CrossEntropyLoss(), torch.from_numpy(X), torch.from_numpy(labels)

    def make(steps: int) -> list[Any]:
        for _ in range(steps):
            optimizer.zero_grad()
            loss(network(inputs), targets).backward()
            optimizer.step()
        return [w.detach() for layer in layers[::2] for w in (layer.weight.T, layer.bias)]

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
    network = mlp(widths[:-1], {"task": widths[-1]}, generator(0))
    state = [[(jnp.asarray(p["W"]), jnp.asarray(p["b"])) for p in layers_of(network)]]
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


PEERS = {
    "torch": ("torch eager", torch_eager),
    "jax": ("JAX jitted", jax_jitted),
    "sklearn": ("scikit-learn", scikit_learn),
}
"""The peers by the module they need."""


def main(
    json: Path | None = None,
    networks: Sequence[tuple[int, ...]] = NETWORKS,
    batches: Sequence[int] = BATCHES,
    rounds: int = 9,
) -> None:
    """Measure every network at every batch size, print the table, and write the measurements where a path is given."""
    core = one_core()
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    console = Console(width=120)
    present = {module: PEERS[module] for module in print_missing({m: name for m, (name, _) in PEERS.items()}, console)}
    rate = sgemm_rate()
    table = Table(title=f"microseconds a step on {core}; best sgemm {rate / 1e9:.0f} GFLOP/s")
    for column in ("network", "batch", "floor", "npnet", *(name for name, _ in present.values())):
        table.add_column(column, justify="left" if column == "network" else "right")
    rows = []
    rng = generator(0, "bench step")
    for widths in networks:
        for batch in batches:
            X, labels = rng.random((batch, widths[0]), dtype=np.float32), rng.integers(0, widths[-1], batch)
            contenders = {"npnet": npnet_step(widths, X, labels)}
            contenders |= {name: make(widths, X, labels) for name, make in present.values()}
            seconds = in_turn(contenders, max(10, 2000 // batch), rounds)
            floor = operations(widths, batch) / rate
            ratios = {name: ratio(times, seconds["npnet"]) for name, times in seconds.items()}
            rows.append({"network": widths, "batch": batch, "floor": floor, "seconds": seconds, "ratios": ratios})
            cells = [f"{median(seconds[name]) * 1e6:.0f} ({ratios[name]:.2f}×)" for name in contenders]
            table.add_row("-".join(map(str, widths)), str(batch), f"{floor * 1e6:.0f}", *cells)
    console.print(table)
    console.print("in brackets: the time divided by npnet's, median over rounds in which all took turns")
    versions = {
        name: version("scikit-learn" if module == "sklearn" else module) for module, (name, _) in present.items()
    }
    write(json, {"benchmark": "step", "core": core, "sgemm_flops": rate, "peers": versions, "rows": rows})
