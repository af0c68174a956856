"""Tables of text: each is built once, then printed by rich or written as Markdown."""

from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

__all__ = ["Grid", "markdown", "show"]


@dataclass(frozen=True)
class Grid:
    """A table of text: a title, a header, rows."""

    title: str
    header: list[str]
    rows: list[list[str]]


def markdown(grid: Grid) -> str:
    """Return a grid as a Markdown table with its title above."""
    lines = [grid.header, ["---"] * len(grid.header), *grid.rows]
    body = "\n".join("| " + " | ".join(cell.replace("\n", "<br>") for cell in line) + " |" for line in lines)
    return f"**{grid.title}**\n\n{body}\n"


def show(grid: Grid, console: Console) -> None:
    """Print a grid."""
    table = Table(title=grid.title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(grid.header):
        table.add_column(column, justify="left" if i < 1 else "right", overflow="fold")
    for row in grid.rows:
        table.add_row(*row)
    console.print(table)
