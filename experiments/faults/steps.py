"""`python -m experiments steps`: the error of each way to find a derivative against the size of its step, measured.

The function is the one that made the picture classic, e^x/√(sin³x + cos³x) at x = 1.5 (Squire and Trapp 1998), with
its derivative known in extended precision.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.frame.pictures import picture
from npnet.check.derivative import STEP, central

__all__ = ["curves", "draw", "measured_errors"]

X = 1.5


def f(x: Any) -> Any:
    """e^x/√(sin³x + cos³x)."""
    return np.exp(x) / np.sqrt(np.sin(x) ** 3 + np.cos(x) ** 3)


def slope() -> np.longdouble:
    """Return f'(x) in extended precision, from its formula."""
    x = np.longdouble(X)
    sine, cosine = np.sin(x), np.cos(x)
    s = sine**3 + cosine**3
    return f(x) * (1 - 3 * sine * cosine * (sine - cosine) / (2 * s))


def _richardson(h: float) -> Any:
    """Four central differences, at h … h/8, extrapolated."""
    row = [(f(X + h / 2**i) - f(X - h / 2**i)) / (2 * h / 2**i) for i in range(4)]
    for m in range(1, 4):
        row = [(4**m * row[i + 1] - row[i]) / (4**m - 1) for i in range(len(row) - 1)]
    return row[0]


curves: Mapping[str, Callable[[float], Any]] = {
    "one-sided difference": lambda h: (f(X + h) - f(X)) / h,
    "central difference": lambda h: (f(X + h) - f(X - h)) / (2 * h),
    "central, extrapolated three times": _richardson,
    "complex step": lambda h: f(X + 1j * h).imag / h,
}
"""The derivative by each method, as a function of the step."""


def measured_errors(steps: np.ndarray) -> dict[str, np.ndarray]:
    """Return the relative error of each method at each step; no less than a tenth of the last bit."""
    truth = slope()
    found = {}
    for name, method in curves.items():
        errors = [float(abs((np.longdouble(method(float(h))) - truth) / truth)) for h in steps]
        found[name] = np.maximum(errors, np.finfo(float).eps / 10)
    return found


def draw(out: Path) -> Path:
    """Draw the picture into a folder and return its path."""
    steps = np.logspace(-20, -0.5, 235)
    noise = 8 * float(np.finfo(float).eps) / 2 * float(abs(f(X)))
    ours = central(lambda t: f(X + t), 1.0, noise)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "checking-steps.png"
    with picture(path, (7.5, 4.4)) as figure:
        axes = figure.subplots()
        styles = ("#999999", "#4477aa", "#228833", "#cc3311")
        for (name, errors), colour in zip(measured_errors(steps).items(), styles, strict=True):
            # The errors of central differences and of the complex step are the same but for their sign: thin on thick.
            width = {"lw": 2.6, "zorder": 1} if name == "complex step" else {"lw": 1.1, "zorder": 2}
            axes.loglog(steps, errors, color=colour, label=name, **width)
        error = max(float(abs((ours.value - slope()) / slope())), float(np.finfo(float).eps) / 10)
        axes.axhline(error, color="#228833", ls=":", lw=1, label="npnet's differences, which choose their step")
        eps = float(np.finfo(float).eps)
        axes.axhline(eps, color="black", lw=0.6)
        axes.text(2e-20, eps * 1.4, "one unit in the last place", fontsize=7.5)
        for x, text in ((1e-6, "torch: gradcheck"), (1e-4, "JAX: check_grads")):
            axes.axvline(x, color="#bbbbbb", lw=0.7, ls="--")
            axes.text(x * 0.85, 2, text, fontsize=7, rotation=90, ha="right", va="top", color="#777777")
        axes.set(xlabel="step h", ylabel="relative error of the derivative", ylim=(1e-17, 5), xlim=(1e-20, 0.4))
        axes.set_title(f"e^x/√(sin³x + cos³x) at x = 1.5; npnet's complex step is h = {STEP:.0e}, far to the left")
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 0.3), fontsize=8, frameon=False)
    return path
