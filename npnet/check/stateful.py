"""Makes a function that can be checked from a layer that keeps state: its parameters, and what forward leaves behind.

The checks call a function many times, at moved arguments, and may call an earlier way back after later calls. A layer
with state cannot do that. So before each use its state is set, and afterwards it is put back.
"""

from collections.abc import Callable
from typing import Any

from npnet.arguments import checked
from npnet.check.pytree import Tree, copy_tree

__all__ = ["stateful"]


@checked
def stateful(
    forward: Callable[..., Any],
    backward: Callable[[Any], Any],
    get: Callable[[], Tree],
    set: Callable[[Tree], Any],
) -> Callable[..., tuple[Any, Callable[[Any], tuple[Any, Any]]]]:
    """Return f(X, p) -> (Y, back), back(dY) -> (dX, dp), of a layer with state. p is the state that get() returns.

    forward: forward(X) returns Y.
    backward: backward(dY), called right after forward, returns (dX, dp), with dp in the structure of p. If the layer
        keeps the gradients of its parameters, read them here: lambda dY: (layer.backward(dY), {"W": layer.dW}).
    get: get() returns the state as a tree of arrays. They are copied.
    set: set(p) puts a state into the layer.

    back sets the state and calls forward again, so it does not depend on what was called in between. The layer's state
    is put back after each call, also if it raises an exception. Random numbers are a state too: let forward begin with
    the same seed.
    """

    def kept(p: Tree, use: Callable[[], Any]) -> Any:
        before = copy_tree(get())
        set(copy_tree(p))
        try:
            return use()
        finally:
            set(before)

    def f(X: Any, p: Tree) -> tuple[Any, Callable[[Any], tuple[Any, Any]]]:
        X, p = copy_tree(X), copy_tree(p)

        def back(dY: Any) -> tuple[Any, Any]:
            def use() -> Any:
                forward(copy_tree(X))
                return copy_tree(backward(dY))

            dX, dp = kept(p, use)
            return dX, dp

        return kept(p, lambda: copy_tree(forward(copy_tree(X)))), back

    return f
