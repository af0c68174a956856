"""Undoing an epoch: what it may change is noted before it, and put back where it fails or is interrupted.

An interrupt may come at any line, so what it leaves half done is never repaired: everything goes back to what was
noted, and may be put back twice.
"""

from collections.abc import Callable

from npnet.run import Run
from npnet.trees import copy_tree

__all__ = ["note", "snapshot"]


def note(run: Run) -> Callable[[], None]:
    """Return the function that puts a run back to where it stands, as long as none of its arrays is moved in place."""
    state, epochs, buffers = run.rng.bit_generator.state, len(run.history), dict(run.buffers)
    fields = {name: getattr(run, name) for name in ("network", "best", "finished", "learned", "mask")}

    def restore() -> None:
        run.rng.bit_generator.state = state
        run.buffers = dict(buffers)
        del run.history[epochs:]
        for name, value in fields.items():
            setattr(run, name, value)

    return restore


def snapshot(run: Run) -> Callable[[], None]:
    """Copy what an epoch moves in place, and return the function that puts all of a run back, weights in place."""
    weights = [*run.network.trunk, *run.network.heads.values()]
    copies, buffers, learned = copy_tree(weights), copy_tree(run.buffers), copy_tree(run.learned)
    restore_fields = note(run)

    def restore() -> None:
        restore_fields()
        run.buffers, run.learned = copy_tree(buffers), copy_tree(learned)
        for p, copy in zip(weights, copies, strict=True):
            for key, w in p.items():
                w[...] = copy[key]

    def insist() -> None:
        try:
            restore()
        except BaseException:
            restore()  # an interrupt of this too
            raise

    return insist
