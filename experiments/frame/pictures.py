"""Figures of the studies: their style, what most of them draw, and how they are written."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from experiments.frame.files import write_bytes
from experiments.frame.statistics import interval, mean_sd

__all__ = ["curve", "picture", "strips", "tiles"]


@contextmanager
def picture(
    path: Path, size: tuple[float, float], rect: tuple[float, float, float, float] | None = (0, 0, 1, 1)
) -> Iterator[Any]:
    """Yield an empty figure of this size in inches, and write what was drawn in it as PNG, whole or not at all.

    rect: the part of the figure that its panels fill; the rest is left to legends. None leaves panels where they are.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style: Any = {"font.size": 9, "axes.titlesize": 10, "axes.spines.top": False, "axes.spines.right": False}
    with rc_context(style):
        figure = Figure(size)
        yield figure
        if rect is not None:
            figure.tight_layout(rect=rect)
        content = BytesIO()
        figure.savefig(content, format="png", dpi=150)
    write_bytes(path, content.getvalue())


def curve(panel: Any, x: Sequence[float], values: Sequence[Mapping[int, float]], **style: Any) -> None:
    """Draw the mean over seeds and its 95 % interval at each x where there are values {seed: value}."""
    there = [(at, list(of.values())) for at, of in zip(x, values, strict=True) if of]
    means, bars = [mean_sd(of)[0] for _, of in there], np.nan_to_num([interval(of) for _, of in there])
    panel.errorbar([at for at, _ in there], means, bars, **{"marker": "o", "markersize": 3, "elinewidth": 0.8, **style})


def strips(
    panel: Any, values: Mapping[str, Mapping[int, float]], colours: Mapping[str, str], named: bool = True
) -> None:
    """Draw a row for each name, the first on top: values {seed: value} in grey, their mean and its 95 % interval."""
    names = list(values)[::-1]
    for row, name in enumerate(names):
        if of := list(values[name].values()):
            panel.plot(of, [row] * len(of), ".", color="0.8", markersize=4)
            bar = np.nan_to_num(interval(of))
            panel.errorbar(mean_sd(of)[0], row, xerr=bar, fmt="o", color=colours[name], elinewidth=1)
    panel.set_yticks(range(len(names)), names if named else [])
    panel.set_ylim(-0.5, len(names) - 0.5)
    panel.grid(axis="x", color="0.92")


def tiles(rows: Sequence[Sequence[Any]], gap: int = 2) -> Any:
    """Return images (side, side) of levels 0 to 1 in rows as one, white between them and where there is None."""
    side = next(len(image) for row in rows for image in row if image is not None)
    whole = np.ones((len(rows) * (side + gap) - gap, max(map(len, rows)) * (side + gap) - gap))
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            if image is not None:
                whole[i * (side + gap) : i * (side + gap) + side, j * (side + gap) : j * (side + gap) + side] = image
    return whole
