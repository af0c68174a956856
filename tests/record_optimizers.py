"""Ten steps of PyTorch's and Keras's optimizers in float64, as the numbers that npnet's are held to.

    python tests/record_optimizers.py     writes recorded_optimizers.json again (needs torch, keras and jax)

Keras runs on JAX: on PyTorch its clipping by the norm of all gradients rounds to float32 on the way (Keras 3.15).
"""

import json
import os
import sys
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_suffix("").parent / "recorded_optimizers.json"
START = {"W": [[0.5, -1.25, 2.0], [0.0, 0.75, -3.0]], "b": [0.1, -0.2, 0.3]}
STEPS = 10

TORCH = {  # name: optimizer, options, norm of the gradients or None
    "sgd": ("SGD", {}, None),
    "momentum": ("SGD", {"momentum": 0.9}, None),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}, None),
    "adam": ("Adam", {"eps": 1e-3}, None),
    "adamw": ("AdamW", {"weight_decay": 0.1}, None),
    "adagrad": ("Adagrad", {"eps": 1e-3}, None),
}
KERAS = {
    "momentum": ("SGD", {"momentum": 0.9}, None),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}, None),
    "adam": ("Adam", {"epsilon": 1e-3}, None),
    "adamw": ("AdamW", {"weight_decay": 0.1, "epsilon": 1e-7}, None),
    "clipped": ("SGD", {"momentum": 0.9, "global_clipnorm": 1.5}, 1.5),
}


def gradient(w):
    """The gradient of Σ 0.15 w² − cos w."""
    return 0.3 * w + np.sin(w)


def rate(t):
    """The rate of step t, which falls: whether it is inside the velocity shows."""
    return 0.1 / (1 + 0.2 * t)


def torch_steps(name, options):
    """Return each array after each of ten steps of one of torch's optimizers."""
    import torch

    parameters = [torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in START.values()]
    optimizer = getattr(torch.optim, name)(parameters, lr=1.0, **options)
    seen = []
    for t in range(STEPS):
        optimizer.param_groups[0]["lr"] = rate(t)
        for p in parameters:
            p.grad = torch.from_numpy(gradient(p.detach().numpy()))
        optimizer.step()
        seen.append([p.detach().numpy().tolist() for p in parameters])
    return seen


def keras_steps(name, options):
    """Return each array after each of ten steps of one of Keras's optimizers."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    os.environ.setdefault("JAX_ENABLE_X64", "1")
    import keras

    keras.config.set_floatx("float64")
    variables = [keras.Variable(np.array(w), dtype="float64") for w in START.values()]
    optimizer = getattr(keras.optimizers, name)(learning_rate=1.0, **options)
    optimizer.build(variables)
    seen = []
    for t in range(STEPS):
        optimizer.learning_rate = rate(t)
        gradients = [gradient(keras.ops.convert_to_numpy(v)) for v in variables]
        optimizer.apply([keras.ops.convert_to_tensor(g, dtype="float64") for g in gradients], variables)
        seen.append([keras.ops.convert_to_numpy(v).tolist() for v in variables])
    return seen


def main():
    """Write the file."""
    record = {"torch": {name: torch_steps(of, options) for name, (of, options, _) in TORCH.items()}}
    record["keras"] = {name: keras_steps(of, options) for name, (of, options, _) in KERAS.items()}
    record["versions"] = {name: sys.modules[name].__version__ for name in ("torch", "keras", "jax")}
    FILE.write_text(json.dumps(record) + "\n")


if __name__ == "__main__":
    sys.exit(main())
