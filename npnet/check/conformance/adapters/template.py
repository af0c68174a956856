"""An adapter to begin with. As it stands, its framework is NumPy, and its gradients come from the complex step.

Put your framework's functions into FUNCTIONS. `npnet.check.conformance.formulas` says what each is given and returns.
Leave out those that your framework lacks. Then say in `evaluate` how it finds gradients.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from npnet.check.conformance import Example
from npnet.check.conformance.formulas import value_of

__all__ = ["FUNCTIONS", "evaluate"]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "linear": lambda X, W, b: X @ W + b,
    "tanh": np.tanh,
    "sigmoid": lambda X: 1 / (1 + np.exp(-X)),
    "squared_error": lambda Z, T: ((Z - T) ** 2).sum() / (2 * len(Z)),
    "sum": np.sum,
    "l2": lambda d, s: (s * d**2).sum() / 2,
}


def evaluate(e: Example) -> tuple[Any, dict[str, Any]]:
    """Return value and gradients of an example."""
    # 1. Make arrays of your framework, in float64, that gradients can be taken of.
    arrays = {path: a.astype(np.complex128) for path, a in e.inputs.items()}
    # 2. Compute the value. A fourth argument makes your framework's arrays of constants, if it does not take NumPy's.
    value = value_of(e, FUNCTIONS, arrays).real
    # 3. Ask for the gradients, and return them as arrays of NumPy.
    gradients = {path: np.zeros(a.shape) for path, a in e.inputs.items()}
    for path, gradient in gradients.items():
        for index in np.ndindex(*gradient.shape):
            arrays[path][index] += 1e-100j
            gradient[index] = value_of(e, FUNCTIONS, arrays).imag / 1e-100
            arrays[path][index] -= 1e-100j
    return value, gradients
