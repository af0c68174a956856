"""The structure of a generator as a prior: an untrained network fitted to one corrupted image restores it for a while.

A stimulus is corrupted by noise, or half of its pixels are lost. A generator with random weights is fitted to what is
left, squared error on the known pixels; what it gives is nearest to the clean stimulus before it has fitted the noise.
Two generators: one maps a fixed random code to the whole image; the other maps each pixel's position, as fixed random
waves, to that pixel, so that its smoothness is a prior. Beside them the mean of the known pixels among 3 × 3.

Source: Ulyanov, Vedaldi and Lempitsky 2018 (there convolutional), which the review of 2017 points at.
"""

import time
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from math import log10
from typing import Any, Literal

import numpy as np

from experiments.frame.jobs import Job, Result
from experiments.frame.provenance import environment
from experiments.frame.study import Preset
from experiments.frame.workspace import Workspace
from npnet import Adam, Hyperparameters, Run, Split, Task, constant, generator, mlp, squared_error, train
from npnet.arrays import Array
from npnet.losses import Loss
from npnet.tasks import Appearance, draw

__all__ = [
    "CORRUPTIONS",
    "FILTER",
    "LEFT",
    "PRESETS",
    "PRIORS",
    "SIDE",
    "ImagePriorDesign",
    "corrupted",
    "image_prior_jobs",
    "mean_filter",
    "psnr",
    "squared_error_where",
]

Corruption = Literal["noise", "missing"]
Prior = Literal["code", "positions"]

SIDE, IMAGE = 32, "image"
CORRUPTIONS: tuple[Corruption, ...] = ("noise", "missing")
PRIORS: tuple[Prior, ...] = ("code", "positions")
FILTER, LEFT = "3 × 3 mean", "corrupted"
CLEAR = Appearance(amplitude=0.0, noise=0.0)  # all noise is ours


@dataclass(frozen=True)
class ImagePriorDesign:
    """All that the numbers depend on; noise: its standard deviation, of levels 0 to 1; lost: the share of pixels."""

    iterations: int = 1_000
    seeds: int = 20
    task: str = "sb2l"
    noise: float = 0.15
    lost: float = 0.5
    rate: float = 0.002
    hidden: dict[str, tuple[int, ...]] = field(default_factory=lambda: {"code": (256, 256), "positions": (128, 128)})
    features: int = 64
    cycles: float = 2.5

    @property
    def looks(self) -> list[int]:
        """The iterations after which PSNR is measured: 1, 2, 5, 10, 20, 50, …"""
        known = [k * 10**e for e in range(6) for k in (1, 2, 5)]
        return sorted({*(n for n in known if n < self.iterations), self.iterations})


PRESETS: dict[Preset, ImagePriorDesign] = {
    "quick": ImagePriorDesign(),
    "smoke": ImagePriorDesign(20, 2, hidden={"code": (8, 8), "positions": (8, 8)}),
}


def psnr(image: Array, clean: Array) -> float:
    """Return the peak signal-to-noise ratio −10 log₁₀ mean (image − clean)² of levels 0 to 1, in decibels."""
    return -10 * log10(max(float(((image - clean) ** 2).mean()), 1e-12))


def squared_error_where(Z: Array, targets: Array, known: Array) -> tuple[Array, Array]:
    """Return ½ Σ (z − t)² over the known pixels, divided by their number, and dZ; Z, targets and known are (N, K)."""
    D = (Z - targets) * known.astype(Z.real.dtype)
    n = known.sum()
    return (D * D).sum() / (2 * n), D / n.astype(Z.real.dtype)


def mean_filter(image: Array, known: Array) -> Array:
    """Return at each place of image (S, S) the mean of the known pixels among 3 × 3, of all of them where none is."""

    def total(X: Array) -> Array:
        return np.lib.stride_tricks.sliding_window_view(np.pad(X, 1), (3, 3)).sum((-2, -1))

    count = total(known.astype(float))
    return np.where(count > 0, total(image * known) / np.maximum(count, 1), image[known].mean())


def corrupted(design: ImagePriorDesign, corruption: Corruption, seed: int) -> tuple[Array, Array, Array]:
    """Return a seed's stimulus, what is left of it, and which pixels are known, each (1, 1024)."""
    clean = draw(design.task, seed, 0, 1, CLEAR).images.reshape(1, -1) / 255
    rng, known = generator(seed, "corruption", corruption), np.ones(clean.shape, bool)
    if corruption == "noise":
        return clean, clean + design.noise * rng.standard_normal(clean.shape), known
    known = rng.random(clean.shape) >= design.lost
    return clean, np.where(known, clean, 0.5), known


def begin_prior(
    design: ImagePriorDesign, prior: Prior, left: Array, known: Array, seed: int
) -> tuple[Run, Task, Array, Loss]:
    """Return an untrained generator, the known pixels to fit, its fixed inputs for all pixels, and the loss.

    The code is one example of 1024 outputs; positions are an example of one output for each pixel.
    """
    rng, fixed = generator(seed, "prior", prior), generator(0, "inputs", prior)
    loss: Loss = squared_error
    if prior == "code":
        X = fixed.standard_normal((1, design.features)).astype(np.float32)
        split, loss = Split(X, left.astype(np.float32)), partial(squared_error_where, known=known)
    else:
        y, x = np.mgrid[:SIDE, :SIDE].reshape(2, -1, 1) / SIDE
        waves = design.cycles * fixed.standard_normal((2, design.features // 2))
        phase = 2 * np.pi * (x * waves[0] + y * waves[1])
        X = np.concatenate([np.sin(phase), np.cos(phase)], 1).astype(np.float32)
        split = Split(X[known[0]], left[known][:, None].astype(np.float32))
    outputs = split.labels.shape[1]
    network = mlp((design.features, *design.hidden[prior]), {IMAGE: outputs}, rng)
    return Run(network, rng), Task(IMAGE, outputs, split, split, split), X, loss


def restore(
    workspace: Workspace,
    design: ImagePriorDesign,
    corruption: Corruption,
    prior: Prior,
    seed: int,
    setting: str,
    label: str,
) -> Result:
    """Fit a generator to a corrupted stimulus; leave PSNR by iteration, and of seed 0 what it gave at its best."""
    clean, left, known = corrupted(design, corruption, seed)
    run, task, X, loss = begin_prior(design, prior, left, known, seed)
    found: dict[str, Any] = {"best": -1.0, "at": 0, "image": left, "curve": []}
    seconds = 0.0
    if (saved := workspace.resume()) is not None:
        run, found, seconds = Run.from_tree(saved["run"]), saved["found"], saved["seconds"]
    start = time.monotonic()
    settings = Hyperparameters(
        batch_size=len(task.train),
        rate=constant(design.rate),
        optimizer=Adam(),
        loss=loss,
        patience=None,
        max_epochs=design.iterations,
        keep="last",
    )
    for record in train(run, {IMAGE: task}, settings):
        Z = run.network.logits(X, IMAGE).reshape(1, -1).astype(float)
        now = psnr(Z, clean)
        if now > found["best"]:
            found = {**found, "best": now, "at": record["epoch"], "image": Z}
        if record["epoch"] in design.looks:
            found["curve"] = [*found["curve"], [record["epoch"], now, psnr(Z[known], left[known])]]
        workspace.show(epoch=record["epoch"], psnr=round(now, 2))
        tree = {"run": run.tree(), "found": found, "seconds": seconds + time.monotonic() - start}
        workspace.checkpoint(partial(dict, tree))
        workspace.stop_if_asked()
    numbers = {"best": found["best"], "best at": float(found["at"])}
    for n, to_clean, to_left in found["curve"]:
        numbers |= {f"after {n}": to_clean, f"fit after {n}": to_left}
    if seed == 0:
        numbers |= {f"pixel {i}": float(level) for i, level in enumerate(np.rint(255 * found["image"][0].clip(0, 1)))}
    measurements = [[setting, label, seed, metric, value] for metric, value in numbers.items()]
    return _result(measurements, seconds + time.monotonic() - start)


def simple(
    workspace: Workspace, design: ImagePriorDesign, corruption: Corruption, seed: int, setting: str, label: str
) -> Result:
    """Leave the PSNR of what is left of the stimulus (LEFT), or of its 3 × 3 means (FILTER)."""
    start = time.monotonic()
    clean, left, known = corrupted(design, corruption, seed)
    if label == FILTER:
        left = mean_filter(left.reshape(SIDE, SIDE), known.reshape(SIDE, SIDE)).reshape(1, -1)
    return _result([[setting, label, seed, "best", psnr(left, clean)]], time.monotonic() - start)


def _result(measurements: list[list[Any]], seconds: float) -> Result:
    return {"measurements": measurements, "seconds": seconds, "environment": environment()}


def image_prior_jobs(design: ImagePriorDesign) -> list[Job]:
    """Return the simple methods and both generators, for each stimulus and corruption."""
    jobs = []
    for seed, corruption in product(range(design.seeds), CORRUPTIONS):
        what = {"design": design, "corruption": corruption, "seed": seed, "setting": corruption}
        for label, name in ((LEFT, "left"), (FILTER, "mean")):
            jobs.append(Job(f"{corruption}-{name}-{seed}", simple, {**what, "label": label}))
        for prior in PRIORS:
            jobs.append(Job(f"{corruption}-{prior}-{seed}", restore, {**what, "prior": prior, "label": prior}))
    return jobs
