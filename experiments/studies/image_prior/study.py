"""The image prior on the command line: how near each generator comes to the clean stimulus, and when."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from experiments.frame.grids import Grid
from experiments.frame.long_form import Findings, LongFormStudy
from experiments.frame.pictures import curve, picture, tiles
from experiments.frame.statistics import mean_sd
from experiments.frame.study import Plan
from experiments.frame.text import difference, spread
from experiments.studies.image_prior.restoring import (
    CORRUPTIONS,
    FILTER,
    LEFT,
    PRESETS,
    PRIORS,
    SIDE,
    ImagePriorDesign,
    corrupted,
    image_prior_jobs,
    mean_filter,
)

__all__ = ["ImagePrior"]

COLOURS = {"code": "#0072B2", "positions": "#D55E00"}


@dataclass(frozen=True)
class ImagePrior(LongFormStudy):
    """Restore a noisy image with an untrained generator.

    The generator is fitted to the corrupted image. On its way it comes near the clean one."""

    name: ClassVar[str] = "image_prior"

    def plan(self) -> Plan:
        """Return what to run."""
        design = PRESETS[self.preset]
        jobs = image_prior_jobs(design)
        return Plan(f"{len(jobs)} restorations", {"experiment": self.name, "design": asdict(design)}, jobs)

    @classmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return PSNR of every method, and what the generators have over the corrupted image and over a filter."""
        return [_ratios(found), _gains(found)]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw PSNR against iteration, and one stimulus restored."""
        _draw_curves(found, out / "psnr.png")
        _draw_images(found, out / "restored.png")
        return {
            "psnr.png": "Peak signal-to-noise ratio against the clean stimulus (full) and against the pixels that are "
            "fitted (dotted) by iteration: mean and 95 % interval over stimuli. Dashed: the mean of 3 × 3 pixels.",
            "restored.png": "One stimulus: clean, corrupted, the mean of 3 × 3 known pixels, and what the generators "
            "gave when they were nearest to the clean one.",
        }


def _design(found: Findings) -> ImagePriorDesign:
    given: dict[str, Any] = dict(found.about["design"])
    return ImagePriorDesign(**{**given, "hidden": {prior: tuple(widths) for prior, widths in given["hidden"].items()}})


def common(found: Findings, corruption: str, prior: str) -> int | None:
    """Return the iteration, of those that are looked at, with the greatest mean PSNR over all stimuli."""
    means = {}
    for n in _design(found).looks:
        values = list(found.values(corruption, prior, f"after {n}").values())
        if values:
            means[n] = mean_sd(values)[0]
    return max(means, key=lambda n: means[n]) if means else None


def _at(found: Findings, corruption: str, prior: str, when: str) -> dict[int, float]:
    """Return {seed: PSNR} at the best iteration of each stimulus, at the one best for all, or at the last."""
    if when == "best":
        return found.values(corruption, prior, "best")
    n = common(found, corruption, prior) if when == "common" else _design(found).iterations
    return found.values(corruption, prior, f"after {n}")


def _ratios(found: Findings) -> Grid:
    rows = [
        [method, *(spread(list(found.values(corruption, method, "best").values()), 2) for corruption in CORRUPTIONS)]
        for method in (LEFT, FILTER)
    ]
    for prior in PRIORS:
        for when in ("best", "common", "last"):
            cells = [spread(list(_at(found, c, prior, when).values()), 2) for c in CORRUPTIONS]
            if when == "common":
                ns = [common(found, c, prior) for c in CORRUPTIONS]
                cells = [f"{cell} (after {n})" for cell, n in zip(cells, ns, strict=True)]
            rows.append([f"{prior}, {_WHEN[when]}", *cells])
    design = _design(found)
    header = ["", f"noise of {design.noise:g}", f"{100 * design.lost:.0f} % of the pixels lost"]
    return Grid("PSNR against the clean stimulus in decibels", header, rows)


_WHEN = {"best": "each at its best", "common": "one iteration for all", "last": "fitted to the end"}


def _gains(found: Findings) -> Grid:
    """Return, for the iteration that is best for all, the gain over what was there and what fitting on costs."""
    rows = []
    for prior in PRIORS:
        for words, when, other in (
            ("over the corrupted image", "common", LEFT),
            (f"over the {FILTER}", "common", FILTER),
            ("over fitting to the end", "common", "last"),
        ):
            row = [f"{prior}, {words}"]
            for c in CORRUPTIONS:
                beside = _at(found, c, prior, "last") if other == "last" else found.values(c, other, "best")
                row += difference(_at(found, c, prior, when), beside, 2)
            rows.append(row)
    header = ["one iteration for all", "noise, dB (95 %)", "p", "lost pixels, dB (95 %)", "p"]
    return Grid("What a generator gains, paired by stimulus", header, rows)


def _draw_curves(found: Findings, path: Path) -> None:
    looks = _design(found).looks
    with picture(path, (9.4, 3.4)) as figure:
        for panel, corruption in zip(figure.subplots(1, 2), CORRUPTIONS, strict=True):
            for prior in PRIORS:
                to_clean, to_left = (
                    [found.values(corruption, prior, f"{what} {n}") for n in looks] for what in ("after", "fit after")
                )
                curve(panel, looks, to_clean, color=COLOURS[prior], label=prior)
                curve(panel, looks, to_left, color=COLOURS[prior], linestyle=":", marker="", elinewidth=0)
            for method, colour in ((LEFT, "0.6"), (FILTER, "black")):
                level = mean_sd(list(found.values(corruption, method, "best").values()))[0]
                panel.axhline(level, color=colour, linestyle="--", linewidth=0.8, label=method)
            panel.set(xscale="log", xlabel="iteration", ylabel="PSNR (dB)")
            ends = [v for method in (LEFT, FILTER, *PRIORS) for v in found.values(corruption, method, "best").values()]
            if ends:
                panel.set_ylim(0, max(ends) + 8)
            panel.set_title({"noise": "noise", "missing": "lost pixels"}[corruption], loc="left", weight="bold")
            panel.legend(frameon=False, loc="upper left")


def _draw_images(found: Findings, path: Path) -> None:
    rows = []
    for corruption in CORRUPTIONS:
        clean, left, known = (a.reshape(SIDE, SIDE) for a in corrupted(_design(found), corruption, 0))
        row: list[Any] = [clean, left, mean_filter(left, known)]
        for prior in PRIORS:
            levels = [found.values(corruption, prior, f"pixel {i}").get(0) for i in range(SIDE * SIDE)]
            whole = [level for level in levels if level is not None]
            row.append(np.reshape(whole, (SIDE, SIDE)) / 255 if len(whole) == len(levels) else None)
        rows.append(row)
    with picture(path, (8.0, 3.6)) as figure:
        panel = figure.subplots()
        panel.imshow(tiles(rows), cmap="gray", vmin=0, vmax=1)
        panel.axis("off")
        for column, words in enumerate(("clean", LEFT, FILTER, *PRIORS)):
            panel.text(column * (SIDE + 2), -2, words, weight="bold")
