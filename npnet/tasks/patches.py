"""Images as patches: the pixels of each square piece one after the other, as a layer shared over them reads them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from npnet.arguments import checked
from npnet.arrays import array_module
from npnet.data import Split, Task

__all__ = ["in_patches", "patch_order"]


@checked
def patch_order(side: int, size: int, channels: int = 1) -> NDArray[np.int64]:
    """Return the places, in rows of side · side · channels values, of what each patch of size × size pixels has: (D,).

    Patches come from left to right, then from top to bottom, as do the pixels within each.
    Raises ValueError for a size that does not divide the side.
    """
    if side < 1 or channels < 1:
        raise ValueError(f"side is {side}, channels {channels}; expected at least 1 of each")
    if size < 1 or side % size:
        raise ValueError(f"size is {size}; expected a number that divides {side}, the side of the images")
    places = np.arange(side * side * channels).reshape(side // size, size, side // size, size, channels)
    return places.transpose(0, 2, 1, 3, 4).reshape(-1)


@checked
def in_patches(task: Task, side: int, size: int, channels: int = 1) -> Task:
    """Return a task with images (N, side · side · channels) as patches of size × size pixels, for `mlp(..., patches)`.

    There are (side / size)² of them. Its inputs are in memory. Raises ValueError for images of another size.
    """
    order = patch_order(side, size, channels)

    def reordered(split: Split) -> Split:
        if split.inputs.shape[-1] != len(order):
            raise ValueError(f"images have {split.inputs.shape[-1]} values; expected {len(order)} for a side of {side}")
        pixels = split.inputs[:]
        return replace(split, inputs=pixels[:, array_module(pixels).asarray(order)])

    return replace(task, train=reordered(task.train), validation=reordered(task.validation), test=reordered(task.test))
