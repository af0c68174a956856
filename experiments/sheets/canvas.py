"""A sheet on which things have places in pixels, and the stimuli that are shown on it."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.frame.files import write_bytes
from npnet.tasks import draw

__all__ = ["DISTRACTOR", "FIGURE", "GREY", "Sheet", "one_of_each"]

FIGURE = ("#D55E00", "#009E73", "#CC79A7")  # Okabe and Ito's vermilion, bluish green and reddish purple: its segments
DISTRACTOR = "#56B4E9"  # their sky blue
GREY = "0.35"
ADDRESSES = 1_000  # among so many every kind of stimulus is found, but for one time in 10²⁶


class Sheet:
    """A matplotlib figure of width x height pixels in which things have places in pixels from the upper left corner."""

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.figure import Figure as Canvas

        self.width, self.height = width, height
        self.canvas: Any = Canvas((width / 100, height / 100), dpi=100)

    def text(self, x: float, y: float, words: str, size: float = 14, **style: Any) -> None:
        """Write lines of words, `size` pixels high, from (x, y) on."""
        for number, line in enumerate(words.splitlines()):
            base = y + size * (0.9 + 1.35 * number)
            self.canvas.text(x / self.width, 1 - base / self.height, line, fontsize=size * 0.72, **style)

    def image(self, x: float, y: float, zoom: int, pixels: NDArray[np.uint8]) -> Any:
        """Show a stimulus at (x, y), and return axes whose coordinates are the stimulus's pixels."""
        size = zoom * len(pixels)
        box = (x / self.width, 1 - (y + size) / self.height, size / self.width, size / self.height)
        axes = self.canvas.add_axes(box)
        axes.imshow(pixels[..., None].repeat(3, axis=2), interpolation="nearest")  # a colour map would round greys
        axes.set_axis_off()
        return axes

    def write(self, path: Path) -> None:
        """Write a PNG, whole or not at all."""
        from PIL import Image  # matplotlib's own dependency

        content = BytesIO()
        self.canvas.savefig(content, format="png", dpi=100)
        opaque = Image.open(content).convert("RGB")
        content = BytesIO()
        opaque.save(content, "png", optimize=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content.getvalue())


def one_of_each(task: str, seed: int) -> dict[tuple[int, int, int], tuple[NDArray[np.uint8], Any]]:
    """Return the first stimulus of every (label, background, polarity): its image (32, 32) and its truth."""
    found: dict[tuple[int, int, int], tuple[NDArray[np.uint8], Any]] = {}
    for pixels, label, record in zip(*draw(task, seed, 0, ADDRESSES), strict=True):
        found.setdefault((int(label), int(record["background"]), int(record["polarity"])), (pixels, record))
    return found
