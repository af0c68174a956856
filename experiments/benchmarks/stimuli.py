"""Whole stimuli, and bare lines by OpenCV, Pillow and scikit-image on one core; sets on all cores; the first start.

The peers draw nothing but the segments of the same stimuli, white on a fresh black image: no geometry to find, no
background, no truth. Coordinates wait as Python numbers in each peer's own format, which costs the peers nothing.
Nobody draws the same line. npnet's stroke is 1.5 px wide and leaves, with its round ends, ink of 1.6 px² on each px of
length; OpenCV's anti-aliased line 1.35 at thickness 1, which looks most like it, and 3.8 at thickness 2; Pillow's 1.0
with hard edges at width 1, and 1.5 where it is reduced from four times the size; scikit-image's 1.1, its only width.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from experiments.benchmarks.measured import print_missing, print_origin, row, write
from experiments.benchmarks.timing import Contender, in_turn, one_core
from npnet.tasks import ALPHABETS, Stimuli, draw, stimulus_set
from npnet.tasks.characters import pieces_of
from npnet.tasks.rules import SIDE

__all__ = ["main"]

TASKS = ("ac", "acl", "sb2l", "digits")  # of two, three and four segments; of curves in some forty short ones
BLOCK = 1_000  # stimuli drawn at a time
GOAL = 3.0  # seconds for a whole set in memory

Lines = list[list[tuple[float, float, float, float]]]  # of each image the x0, y0, x1, y1 of each segment


def npnet_drawing(task: str) -> Contender:
    """Return npnet's drawing of blocks of whole stimuli."""

    def make(blocks: int) -> Stimuli:
        for block in range(blocks):
            drawn = draw(task, 0, block * BLOCK, (block + 1) * BLOCK)
        return drawn

    return make


def opencv(images: Lines, thickness: int) -> Contender:
    """Return OpenCV's anti-aliased lines, coordinates in sixteenths of a pixel."""
    import cv2

    cv2.setNumThreads(1)
    whole = [[[round(16 * number) for number in line] for line in lines] for lines in images]
    points = [[((x0, y0), (x1, y1)) for x0, y0, x1, y1 in lines] for lines in whole]

    def make(blocks: int) -> np.ndarray:
        for _ in range(blocks):
            for lines in points:
                image = np.zeros((SIDE, SIDE), np.uint8)
                for start, end in lines:
                    cv2.line(image, start, end, 255, thickness, cv2.LINE_AA, 4)
        return image

    return make


def pillow(images: Lines, scale: int, width: int) -> Contender:
    """Return Pillow's lines on an image `scale` times the size, reduced where that is more than 1."""
    from PIL import Image, ImageDraw

    enlarged = [[tuple(round(scale * (number + 0.5) - 0.5) for number in line) for line in lines] for lines in images]

    def make(blocks: int) -> Image.Image:
        for _ in range(blocks):
            for lines in enlarged:
                image = Image.new("L", (scale * SIDE, scale * SIDE))
                pen = ImageDraw.Draw(image)
                for line in lines:
                    pen.line(line, 255, width)
                if scale > 1:
                    image = image.reduce(scale)
        return image

    return make


def scikit_image(images: Lines) -> Contender:
    """Return scikit-image's anti-aliased lines, between whole pixels."""
    from skimage.draw import line_aa

    whole = [[(round(y0), round(x0), round(y1), round(x1)) for x0, y0, x1, y1 in lines] for lines in images]

    def make(blocks: int) -> np.ndarray:
        for _ in range(blocks):
            for lines in whole:
                image = np.zeros((SIDE, SIDE), np.uint8)
                for line in lines:
                    rows, columns, values = line_aa(*line)
                    image[rows, columns] = 255 * values
        return image

    return make


PEERS: dict[str, tuple[str, dict[str, Callable[[Lines], Contender]]]] = {
    "cv2": ("OpenCV", {f"OpenCV {width} px": partial(opencv, thickness=width) for width in (1, 2)}),
    "PIL": (
        "Pillow",
        {"Pillow 1 px": partial(pillow, scale=1, width=1), "Pillow 4×": partial(pillow, scale=4, width=6)},
    ),
    "skimage": ("scikit-image", {"scikit-image": scikit_image}),
}
"""The peers by the module they need: a name, and what each of their ways is called; each returns its last image."""


def lines_of(task: str) -> Lines:
    """Return the segments of the first block of a task's stimuli, as Python numbers."""
    truth = draw(task, 0, 0, BLOCK).truth
    if task in ALPHABETS:
        return [[tuple(piece) for piece in pieces_of(record).tolist()] for record in truth]
    return [
        [tuple(line) for line in record["segments"][: record["segment_count"]].tolist()]  # (segments, 4)
        for record in truth
    ]


def beside_peers(tasks: Sequence[str], blocks: int, rounds: int, console: Console) -> dict:
    """Measure every task and every peer that is installed, print the table, and return the measurements."""
    core = one_core()
    present = print_missing({module: name for module, (name, _) in PEERS.items()}, console)
    ways = {name: make for module in present for name, make in PEERS[module][1].items()}
    table = Table(title=f"thousand images a second on {core}: whole stimuli of npnet, bare lines of the others")
    for column in ("task", "lines", "npnet", *ways):
        table.add_column(column, justify="left" if column == "task" else "right")
    rows = []
    for task in tasks:
        images = lines_of(task)
        seconds = in_turn(
            {"npnet": npnet_drawing(task)} | {name: make(images) for name, make in ways.items()}, blocks, rounds
        )
        rates = {name: BLOCK / median(times) for name, times in seconds.items()}
        count = round(sum(map(len, images)) / len(images))
        rows.append(row({"task": task, "segments": count, "block": BLOCK}, seconds, "npnet", rates=rates))
        ratios = rows[-1]["ratios"]
        peers = [f"{rates[name] / 1e3:,.0f} ({ratios[name]:.1f}×)" for name in ways]
        table.add_row(task, str(count), f"{rates['npnet'] / 1e3:,.0f}", *peers)
    console.print(table)
    console.print("in brackets: npnet's rate divided by theirs, median over rounds in which all took turns")
    print_origin(console, present)
    return {"rows": rows, "peers": present, "core": core}


def whole_sets(images: int, rounds: int, console: Console) -> dict:
    """Measure drawing a set of `acl` into memory on all cores and on one, print it, and return the measurements."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    stimuli = stimulus_set("acl", 0, 0, images)

    def with_threads(threads: int) -> Contender:
        return lambda sets: [stimuli.in_memory(threads) for _ in range(sets)].clear()

    seconds = in_turn({"all": with_threads(cores), "one": with_threads(1)}, 1, rounds)
    everywhere, alone = median(seconds["all"]), median(seconds["one"])
    console.print(
        f"{images:,} acl in memory: {everywhere:.2f} s on {cores} cores, {alone:.2f} s on one; goal {GOAL:g} s",
        highlight=False,
    )
    return {"images": images, "cores": cores, "seconds": seconds, "goal": GOAL}


def first_starts(rounds: int, console: Console) -> dict[str, float]:
    """Measure whole processes: imports alone, a first stimulus that is compiled, and one from the cache on disk."""
    with TemporaryDirectory() as cache:

        def run(program: str) -> float:
            start = time.perf_counter()
            environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
            subprocess.run([sys.executable, "-c", program], check=True, env=environment)
            return time.perf_counter() - start

        first = "from npnet.tasks import draw; draw('acl', 0, 0, 1)"
        compiled = run(first)
        cached = median(run(first) for _ in range(rounds))
        imports = median(run("import npnet.tasks") for _ in range(rounds))
    console.print(
        f"a process that draws its first stimulus: {compiled:.2f} s where it compiles, {cached:.2f} s with compiled "
        f"code cached on disk; one that only imports: {imports:.2f} s",
        highlight=False,
        soft_wrap=True,
    )
    return {"compiled": compiled, "cached": cached, "imports": imports}


def main(
    json: Path | str | None = None,
    tasks: Sequence[str] = TASKS,
    blocks: int = 5,
    rounds: int = 9,
    images: int = 350_000,
    starts: int = 3,
) -> None:
    """Measure all three (no starts where `starts` is 0), print them, and write them where a path is given."""
    console = Console(width=120)
    measured: dict[str, Any] = {}
    if starts:
        measured["starts"] = first_starts(starts, console)
    measured["sets"] = whole_sets(images, 3, console)
    measured |= beside_peers(tasks, blocks, rounds, console)  # the last, because it binds this process to one core
    write(json, "stimuli", **measured)
