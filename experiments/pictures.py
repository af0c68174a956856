"""Figures that have a panel or a few: how they look, and how they are written."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from npnet.trees import write_atomically

__all__ = ["picture"]


@contextmanager
def picture(
    path: Path, size: tuple[float, float], rect: tuple[float, float, float, float] = (0, 0, 1, 1)
) -> Iterator[Any]:
    """Yield an empty figure of this size in inches, and write what was drawn in it as PNG, whole or not at all.

    rect: the part of the figure that its panels fill; the rest is left to legends.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style: Any = {"font.size": 9, "axes.titlesize": 10, "axes.spines.top": False, "axes.spines.right": False}
    with rc_context(style):
        figure = Figure(size)
        yield figure
        figure.tight_layout(rect=rect)
        content = BytesIO()
        figure.savefig(content, format="png", dpi=150)
    write_atomically(path, content.getvalue())
