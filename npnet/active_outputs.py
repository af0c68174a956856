"""A loss on the first outputs alone: a head that has an output for each class ever to come, and learns those so far.

    L = loss(Z[:, :k], t)        dZ = its gradient in the first k columns, 0 in the others

In class-incremental learning a task's softmax then leaves out the classes that no task has shown yet.
"""

from typing import Any

from npnet.arrays import Array, array_module, check_floats
from npnet.losses import Loss, cross_entropy

__all__ = ["active_outputs"]


def active_outputs(Z: Array, labels: Any, outputs: int, loss: Loss = cross_entropy) -> tuple[Array, Array]:
    """Return the loss of the first `outputs` columns of Z (..., N, K), with the gradient for all K of them.

    As a setting: `Hyperparameters(loss=partial(active_outputs, outputs=4))`. Raises ValueError where Z is not floats or
    has fewer outputs, and as the loss does.
    """
    check_floats("Z", Z)
    if not 1 <= outputs <= Z.shape[-1]:
        raise ValueError(f"outputs is {outputs}; expected from 1 to {Z.shape[-1]}, the outputs of the head")
    xp = array_module(Z)
    value, d = loss(xp.ascontiguousarray(Z[..., :outputs]), labels)
    dZ = xp.zeros_like(Z)
    dZ[..., :outputs] = d
    return value, dZ
