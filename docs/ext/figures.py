"""The figure at the end of each derivation: what its formulas say, drawn from npnet and from the blocks of the page."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import npnet
from npnet.losses import softmax

__all__ = ["FIGURES", "FINE", "GRADUAL", "SOFT"]

FINE, GRADUAL, SOFT = "#0072B2", "#D55E00", "0.55"
LONG = np.longdouble


def linear(page: Any) -> Figure:
    """The weights' gradient as the sum of each example's input times its output's gradient."""
    figure = Figure((7.2, 2.2), layout="constrained")
    X, dY = page.X, page.X @ page.W + page.b  # the gradient of ½‖Y‖²
    shares = [np.outer(x, dy) for x, dy in zip(X, dY, strict=True)]
    total = npnet.linear({"W": page.W, "b": page.b}, X)[1](dY)[1]["W"]
    most = max(abs(each).max() for each in (*shares, total))
    titles = [*(f"example {n + 1}" for n in range(len(X))), "dW"]
    for i, (panel, each) in enumerate(zip(figure.subplots(1, len(X) + 1), [*shares, total], strict=True)):
        panel.imshow(each, cmap="RdBu_r", vmin=-most, vmax=most)
        panel.set(title=titles[i], xticks=[], yticks=[])
        panel.set_xlabel("outputs" if i == 0 else "")
        panel.set_ylabel("inputs" if i == 0 else "+" if i < len(X) else "=", rotation=90 if i == 0 else 0)
        panel.yaxis.label.set(fontsize=9 if i == 0 else 14)
    return figure


def cross_entropy(page: Any) -> Figure:
    """Loss and gradient against the true logit, and the digits that the textbook's gradient loses."""
    figure = Figure((7.2, 2.7), layout="constrained")
    left, right = figure.subplots(1, 2)
    gap, zero = np.linspace(-6, 6, 200), np.array([0])
    both = [npnet.cross_entropy(np.array([[z, 0.0]]), zero) for z in gap]
    left.plot(gap, [value for value, _ in both], color=FINE, label="loss")
    left.plot(gap, [dZ[0, 0] for _, dZ in both], color=GRADUAL, label="gradient, f − 1")
    left.axhline(0, color=SOFT, linewidth=0.6)
    left.set(xlabel="true logit − other logit", title="never below −1: far off, the loss is a straight line")
    left.legend(frameon=False)
    gap = np.linspace(0, 60, 241)
    truth = -1 / (1 + np.exp(gap.astype(LONG)))
    for loss, colour, name in ((page.cross_entropy, GRADUAL, "textbook"), (npnet.cross_entropy, FINE, "npnet")):
        found = np.array([loss(np.array([[z, 0.0]]), zero)[1][0, 0] for z in gap])
        lost(right, gap, found, truth, colour, name)
    right.set(xlabel="true logit − other logit", title="relative error of the gradient")
    right.legend(frameon=False)
    return figure


def dropout(page: Any) -> Figure:
    """What the next layer is given, the sum of a hundred units: its mean stays, its spread grows."""
    figure = Figure((7.2, 2.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    X = np.broadcast_to(npnet.generator(0, "units").random(100), (20_000, 100))
    sums = {r: npnet.Dropout(r)({}, X, npnet.generator(0, "dropped"))[0].sum(1) for r in (0.1, 0.25, 0.5)}
    for (r, found), colour in zip(sums.items(), (FINE, "#009E73", GRADUAL), strict=True):
        left.hist(found, 60, density=True, histtype="step", color=colour, label=f"rate {r}")
    left.axvline(X[0].sum(), color="black", linestyle=":", linewidth=1)
    left.set(xlabel="sum of 100 units (dotted: without dropout)", yticks=[], title="the mean stays")
    left.legend(frameon=False)
    r = np.linspace(0, 0.6, 100)
    right.plot(r, np.sqrt(r / (1 - r) * (X[0] ** 2).sum()), color=SOFT, label="√(r/(1−r) Σ x²)")
    right.plot(list(sums), [found.std() for found in sums.values()], "o", color=GRADUAL, label="drawn")
    right.set(xlabel="rate r", title="the spread is the price")
    right.legend(frameon=False)
    return figure


def far_ends(page: Any) -> Figure:
    """The relative error of the first form that comes to mind, and of the one that is computed."""
    figure = Figure((7.2, 2.6), layout="constrained")
    x = np.linspace(0.1, 60, 300)
    E = np.exp(-x.astype(LONG))
    column, ones = x[:, None], np.ones((len(x), 1))
    back = npnet.tanh({}, column)[1]
    gaps = [npnet.cross_entropy(np.array([[z, 0.0]]), np.array([0]))[0] for z in x]
    panels = [
        ("sigmoid at −x", (1 + np.tanh(-x / 2)) / 2, npnet.sigmoid({}, -column)[0][:, 0], E / (1 + E)),
        ("slope of tanh at x", 1 - np.tanh(x) ** 2, back(ones)[0][:, 0], 4 * E**2 / (1 + E**2) ** 2),
        ("loss of a gap of x", -np.log(softmax(np.stack([x, 0 * x], 1))[:, 0]), np.array(gaps), np.log1p(E)),
    ]
    axes = figure.subplots(1, 3, sharey=True)
    names = ("by tanh", "1 − Y²", "−log f")
    for panel, (title, naive, ours, truth), name in zip(axes, panels, names, strict=True):
        lost(panel, x, naive, truth, GRADUAL, name)
        lost(panel, x, ours, truth, FINE, "npnet")
        panel.set(title=title, xlabel="x")
        panel.legend(frameon=False, loc="center right")
    axes[0].set_ylabel("relative error")
    return figure


def penalties(page: Any) -> Figure:
    """Where each prox takes a weight, and how a subgradient jumps over the kink that a prox lands on."""
    figure = Figure((7.2, 2.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    w = np.linspace(-3, 3, 301)
    left.plot(w, w, color=SOFT, linestyle=":", linewidth=1)
    left.plot(w, npnet.l2.prox(w, 1.0), color="#009E73", label="l2")
    left.plot(w, npnet.l1.prox(w, 1.0), color=FINE, label="l1")
    pairs = [np.array([[x], [0.8]]) for x in w]
    left.plot(w, [npnet.group_lasso.prox(pair, 1.0)[0, 0] for pair in pairs], color=GRADUAL, label="group of (w, 0.8)")
    left.set(xlabel="w", title="prox(w), step 1 (dotted: w itself)")
    left.legend(frameon=False)
    for prox, colour, name in ((False, GRADUAL, "subgradient"), (True, FINE, "prox")):
        path = [np.array([0.27])]
        for _ in range(12):
            path.append(npnet.l1.prox(path[-1], 0.05) if prox else path[-1] - 0.05 * npnet.l1(path[-1])[1])
        right.plot(np.ravel(path), "o-", color=colour, markersize=3, linewidth=1, label=name)
    right.axhline(0, color=SOFT, linewidth=0.6)
    right.set(xlabel="step", title="a weight under l1 alone")
    right.legend(frameon=False)
    return figure


def fisher(page: Any) -> Figure:
    """Half F δ² of every weight against the divergence that moving it makes, by what is called F."""
    figure = Figure((4.8, 3.4), layout="constrained")
    panel = figure.subplots()
    network, inputs, delta = page.network, page.split.inputs, 1e-2
    before, divergence = softmax(network.logits(inputs, "old")), np.zeros((6, 5))
    for place in np.ndindex(6, 5):
        moved = network.copy()
        moved.trunk[0]["W"][place] += delta
        after = softmax(moved.logits(inputs, "old"))
        divergence[place] = (before * np.log(before / after)).sum(-1).mean()
    panel.plot([1e-9, 1e-4], [1e-9, 1e-4], color=SOFT, linestyle=":", linewidth=1)
    for mode, colour in (("batched", "#009E73"), ("empirical", GRADUAL), ("exact", FINE)):
        rng = npnet.generator(0, "classes")
        F = npnet.fisher_information(network, "old", page.split, mode, rng, batch_size=40)[0]["W"]
        panel.loglog(divergence.ravel(), 0.5 * F.ravel() * delta**2, ".", color=colour, label=mode)
    low, high = divergence.min() / 2, divergence.max() * 2
    panel.set(
        xlabel="divergence of the outputs, measured", ylabel="½ F δ²", xlim=(low, high), ylim=(low / 100, high * 3)
    )
    panel.legend(frameon=False)
    return figure


def masks(page: Any) -> Figure:
    """Which layers a policy lets move, epoch by epoch, and what a step costs under each mask."""
    figure = Figure((7.2, 2.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    shown = np.array([page.policy(page.errors[:epoch], depth=2) for epoch in range(len(page.errors) + 1)]).T
    left.imshow(shown, cmap="Blues", vmin=0, vmax=1.6, aspect="auto", origin="lower")
    left.set(yticks=range(3), yticklabels=["layer 1", "layer 2", "head"], xlabel="epoch", title="dark: trains")
    for i in range(1, shown.shape[1]):
        left.axvline(i - 0.5, color="white", linewidth=1)
    names, base = ["all", "layer 2 up", "layer 3 up", "head alone"], np.zeros(4)
    lowest, sizes = range(4), page.sizes
    parts = [
        ("forward", [sum(sizes[i:]) for i in lowest], FINE),
        ("dW", [sum(sizes[i:]) for i in lowest], "#56B4E9"),
        ("dX", [sum(sizes[i + 1 :]) for i in lowest], GRADUAL),
    ]
    for name, cost, colour in parts:
        right.barh(names, np.array(cost) / 1e6, left=base, color=colour, label=name)
        base = base + np.array(cost) / 1e6
    assert [round(each * 1e6) for each in base] == [page.cost([0] * i + [1] * (4 - i)) for i in lowest]
    for i, cost in enumerate(base):
        right.annotate(f"{cost:.3g}", (cost, i), xytext=(4, -3), textcoords="offset points")
    right.invert_yaxis()
    right.set(xlabel="million products for each example", xlim=(0, 9))
    right.legend(frameon=False, loc="lower right")
    return figure


def distillation(page: Any) -> Figure:
    """A teacher's answer by temperature, and the gradient's distance from least squares on the logits."""
    figure = Figure((7.2, 2.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    T = np.geomspace(0.3, 100, 80)
    P = np.array([softmax(page.V[0] / t) for t in T])
    for k in np.argsort(page.V[0])[::-1]:
        left.semilogx(T, P[:, k], color=FINE, alpha=0.35 + 0.65 * (page.V[0].argmax() == k), linewidth=1.2)
    left.axhline(1 / 5, color=SOFT, linestyle=":", linewidth=1)
    left.set(xlabel="temperature T", title="one answer of the teacher: five probabilities", ylim=(0, 1))
    T = np.geomspace(1, 1000, 40)
    off = [abs(page.distillation(page.Z, page.V, t)[1] * len(page.Z) * t**2 - page.limit).max() for t in T]
    right.loglog(T, off, color=GRADUAL, label="measured")
    right.loglog(T, off[-1] * T[-1] / T, color=SOFT, linestyle=":", label="∝ 1/T")
    right.set(xlabel="temperature T", title="T² dZ off (z − v)/K, at most")
    right.legend(frameon=False)
    return figure


def jacobians(page: Any) -> Figure:
    """The gradient by hand against the complex step, weight by weight, with the curvature and without."""
    figure = Figure((4.2, 3.2), layout="constrained")
    panel = figure.subplots()

    def loss(W: Any) -> Any:
        return page.jacobian_loss(W, page.b, page.V, page.X, page.logit, page.target, "tanh")

    truth, h = np.zeros_like(page.W), 1e-170
    for place in np.ndindex(*page.W.shape):
        moved = page.W.astype(complex)
        moved[place] += 1j * h
        truth[place] = loss(moved)[0].imag / h
    ends = [truth.min(), truth.max()]
    panel.plot(ends, ends, color=SOFT, linestyle=":", linewidth=1)
    without = page.without_curvature(page.W, page.b, page.V)[1][0]
    panel.plot(truth.ravel(), without.ravel(), ".", color=GRADUAL, label="without φ″")
    panel.plot(truth.ravel(), loss(page.W)[1][0].ravel(), ".", color=FINE, label="with φ″")
    panel.set(xlabel="dW by the complex step", ylabel="dW by hand")
    panel.legend(frameon=False)
    return figure


def lost(panel: Axes, x: Any, found: Any, truth: Any, colour: str, name: str) -> None:
    """Draw the relative error of numbers, from the rounding of one number to all digits lost."""
    error = np.clip(np.abs((found - truth) / truth).astype(float), 1e-17, 1)
    panel.semilogy(x, error, color=colour, linewidth=1.2, label=name)
    panel.set(ylim=(1e-17, 3))


FIGURES: Mapping[str, Callable[[Any], Figure]] = {
    each.__name__: each
    for each in (linear, cross_entropy, dropout, far_ends, penalties, fisher, masks, distillation, jacobians)
}
