"""Split MNIST: the published baselines of continual learning, beside npnet's runs by the same protocol.

Ten runs, which differ in the first network and in the order of the images, stand beside the ten of the paper. Each cell
is judged by Welch's t-test, because the two have deviations of their own, with Holm's correction over all cells.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isnan, sqrt
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from experiments.frame.grids import Grid
from experiments.frame.jobs import Job
from experiments.frame.long_form import Findings, LongFormStudy
from experiments.frame.pictures import picture
from experiments.frame.statistics import Moments, holm, mean_sd, welch
from experiments.frame.study import Plan
from experiments.frame.text import number, spread
from experiments.published import published_split_mnist
from experiments.studies.split_mnist.design import METHODS, SCENARIOS, Protocol
from experiments.studies.split_mnist.sequence import learn_sequence

__all__ = ["SplitMnist"]


@dataclass(frozen=True)
class SplitMnist(LongFormStudy):
    """Learn the ten digits in pairs, one pair after another.

    Eleven baselines of a published comparison (Hsu et al. 2018), in three scenarios, beside the paper's numbers."""

    name: ClassVar[str] = "split_mnist"

    def plan(self) -> Plan:
        """Return what to run: ten seeds; to see that it works, two seeds of two pairs of drawn digits."""
        smoke = self.preset == "smoke"
        protocol = Protocol("drawn", (6, 5), 1, 16, 2, 80) if smoke else Protocol()
        seeds = 2 if smoke else 10
        jobs = [
            Job(
                f"{scenario}-{method.replace(' ', '-').replace('(', '').replace(')', '')}-{seed}",
                learn_sequence,
                {"protocol": protocol, "scenario": scenario, "method": method, "seed": seed},
            )
            for scenario in SCENARIOS
            for method in METHODS
            for seed in range(seeds)
        ]
        configuration = {
            "experiment": self.name,
            "protocol": asdict(protocol),
            "scenarios": list(SCENARIOS),
            "methods": list(METHODS),
            "seeds": list(range(seeds)),
        }
        return Plan(f"{len(jobs)} sequences of tasks", configuration, jobs)

    @classmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return theirs beside ours, and what each method learned and kept."""
        return [_beside(found), _learned(found)]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw theirs and ours in each scenario."""
        _draw(found, out / "split_mnist.png")
        words = (
            "Mean accuracy over the tasks after the last one: the paper's runs (open) and npnet's (filled), means and "
            "95 % intervals over runs."
        )
        return {"split_mnist.png": words}


def _moments(found: Findings) -> dict[tuple[str, str], tuple[Moments | None, Moments | None]]:
    """Return theirs and ours, {(scenario, method): moments, None where there are none}."""
    theirs = {(each.scenario, each.method): each.moments for each in published_split_mnist()}
    both: dict[tuple[str, str], tuple[Moments | None, Moments | None]] = {}
    for scenario in found.about["scenarios"]:
        for method in found.about["methods"]:
            ours = list(found.values(scenario, method, "accuracy").values())
            mine = Moments(*mean_sd(ours), len(ours)) if ours else None
            both[scenario, method] = theirs.get((scenario, method)), mine
    return both


def _beside(found: Findings) -> Grid:
    both = _moments(found)
    judged = {
        key: welch(ours, theirs)
        for key, (theirs, ours) in both.items()
        if theirs is not None and ours is not None and ours.n > 1
    }
    adjusted = dict(zip(judged, holm([each.p for each in judged.values()]), strict=True))
    header = [""]
    for scenario in found.about["scenarios"]:
        header += [f"{scenario}:\ntheirs", "\nours", "\nours − theirs", "\np"]
    rows = []
    for method in found.about["methods"]:
        row = [method]
        for scenario in found.about["scenarios"]:
            key = scenario, method
            row += [*map(_said, both[key])]
            if key in judged:
                of = judged[key]
                low, high = (number(end, 2, "+") for end in (of.low, of.high))
                p = adjusted[key]
                row += [f"{number(of.difference, 2, '+')} ({low} … {high})", "–" if isnan(p) else f"{p:.2g}"]
            else:
                row += ["–", "–"]
        rows.append(row)
    title = "Mean accuracy in percent after the last task, ± standard deviation over runs; differences with 95 %"
    return Grid(title, header, rows)


def _said(moments: Moments | None) -> str:
    if moments is None:
        return "–"
    return number(moments.mean, 2) + ("" if isnan(moments.sd) else f" ± {moments.sd:.2f}")


def _learned(found: Findings) -> Grid:
    """Return, of each method's mean over tasks, accuracy just after learning and what is lost of it at the end."""
    last = found.about["protocol"]["tasks"] - 1
    header = [""]
    for scenario in found.about["scenarios"]:
        header += [f"{scenario}:\njust learned", "\nlost"]
    rows = []
    for method in found.about["methods"]:
        row = [method]
        for scenario in found.about["scenarios"]:
            fresh = [found.values(scenario, method, f"accuracy on {k} after {k}") for k in range(last + 1)]
            end = [found.values(scenario, method, f"accuracy on {k} after {last}") for k in range(last + 1)]
            seeds = set.intersection(*map(set, fresh))
            new = [float(np.mean([each[s] for each in fresh])) for s in seeds]
            lost = [float(np.mean([a[s] - b[s] for a, b in zip(fresh[:-1], end[:-1], strict=True)])) for s in seeds]
            row += [spread(new, 2), spread(lost, 2)]
        rows.append(row)
    return Grid("Accuracy on each task when it was just learned, and points lost by the end, means", header, rows)


def _draw(found: Findings, path: Path) -> None:
    both, methods = _moments(found), list(found.about["methods"])
    scenarios = list(found.about["scenarios"])
    with picture(path, (2.0 + 3.2 * len(scenarios), 0.9 + 0.32 * len(methods))) as figure:
        panels = figure.subplots(1, len(scenarios), squeeze=False)[0]
        for panel, scenario in zip(panels, scenarios, strict=True):
            for row, method in enumerate(methods[::-1]):
                for of, up, fill in zip(both[scenario, method], (0.16, -0.16), ("none", "C0"), strict=True):
                    if of is not None:
                        style: Mapping[str, Any] = {"color": "C1" if fill == "none" else "C0", "markerfacecolor": fill}
                        panel.errorbar(of.mean, row + up, xerr=_half(of), fmt="o", markersize=5, elinewidth=1, **style)
            panel.set_yticks(range(len(methods)), methods[::-1] if panel is panels[0] else [])
            panel.set_ylim(-0.6, len(methods) - 0.4)
            panel.set_title(f"{scenario}-incremental", loc="left", weight="bold")
            panel.set_xlabel("accuracy (%)")
            panel.grid(axis="x", color="0.92")
        for label, colour, fill in (("theirs", "C1", "none"), ("ours", "C0", "C0")):
            panels[0].plot([], [], "o", color=colour, markerfacecolor=fill, label=label)
        panels[0].legend(frameon=False, loc="lower left")


def _half(of: Moments) -> float:
    """Return half the width of the 95 % interval of a mean; zero of a single run."""
    from scipy import stats

    return 0.0 if of.n < 2 else float(stats.t.ppf(0.975, of.n - 1)) * of.sd / sqrt(of.n)
