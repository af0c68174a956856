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
from experiments.frame.statistics import Moments, Welch, holm, mean_sd, welch
from experiments.frame.study import Plan
from experiments.frame.text import number, spread
from experiments.published import PublishedSequence, published_split_mnist
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
        small = Protocol("drawn", (6, 5), 1, 16, 2, 80)
        seeds = 2 if smoke else 10
        jobs = [
            Job(
                f"{scenario}-{''.join(c for c in method.replace(' ', '-') if c not in '(),')}-{seed}",
                learn_sequence,
                {
                    "protocol": small if smoke else approach.protocol,
                    "scenario": scenario,
                    "method": method,
                    "seed": seed,
                },
            )
            for scenario in SCENARIOS
            for method, approach in METHODS.items()
            for seed in range(seeds)
        ]
        configuration = {
            "experiment": self.name,
            "protocol": asdict(small if smoke else Protocol()),
            "scenarios": list(SCENARIOS),
            "methods": {method: repr(approach) for method, approach in METHODS.items()},
            "seeds": list(range(seeds)),
        }
        return Plan(f"{len(jobs)} sequences of tasks", configuration, jobs)

    @classmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return for each scenario theirs beside ours, and what each method learned and lost."""
        adjusted = _adjusted(found)
        return [_beside(found, scenario, adjusted) for scenario in found.about["scenarios"]]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw theirs and ours in each scenario."""
        _draw(found, out / "split_mnist.png")
        words = (
            "Mean accuracy over the tasks after the last one: the paper's runs (open) and npnet's (filled), means and "
            "95 % intervals over runs."
        )
        return {"split_mnist.png": words}


def _theirs() -> dict[tuple[str, str], PublishedSequence]:
    return {(each.scenario, each.method): each for each in published_split_mnist()}


def _ours(found: Findings, scenario: str, method: str) -> Moments:
    values = list(found.values(scenario, method, "accuracy").values())
    return Moments(*mean_sd(values), len(values))


def _judged(found: Findings) -> dict[tuple[str, str], Welch]:
    """Return ours − theirs in every cell that has two runs of ours, {(scenario, method): test}."""
    pairs = {key: (_ours(found, *key), theirs.moments) for key, theirs in _theirs().items()}
    return {key: welch(ours, theirs) for key, (ours, theirs) in pairs.items() if ours.n > 1}


def _adjusted(found: Findings) -> dict[tuple[str, str], float]:
    """Return the p of every test, adjusted for how many there are in all scenarios together."""
    judged = _judged(found)
    return dict(zip(judged, holm([each.p for each in judged.values()]), strict=True))


def _beside(found: Findings, scenario: str, adjusted: Mapping[tuple[str, str], float]) -> Grid:
    judged, published, rows = _judged(found), _theirs(), []
    last = found.about["protocol"]["tasks"] - 1
    for method in found.about["methods"]:
        key, ours = (scenario, method), _ours(found, scenario, method)
        theirs = published.get(key)
        row = [method, f"{theirs.accuracy:.2f} ± {theirs.sd:.2f}" if theirs else "–"]
        row += [spread(list(found.values(scenario, method, "accuracy").values()), 2), str(ours.n)]
        if key in judged:
            low, high = (number(end, 2, "+") for end in (judged[key].low, judged[key].high))
            p = adjusted[key]
            row += [
                f"{number(judged[key].difference, 2, '+')} ({low} … {high})",
                "–" if isnan(p) else f"{p:.2g}",
            ]
        else:
            row += ["–", "–"]
        fresh = [found.values(scenario, method, f"accuracy on {k} after {k}") for k in range(last + 1)]
        end = [found.values(scenario, method, f"accuracy on {k} after {last}") for k in range(last + 1)]
        seeds = set.intersection(*map(set, fresh))
        new = [float(np.mean([each[seed] for each in fresh])) for seed in seeds]
        lost = [
            float(np.mean([a[seed] - b[seed] for a, b in zip(fresh[:-1], end[:-1], strict=True)])) for seed in seeds
        ]
        rows.append([*row, spread(new, 2), spread(lost, 2)])
    header = ["", "theirs", "ours", "runs", "ours − theirs (95 %)", "p of all", "just learned", "lost"]
    return Grid(f"{scenario}-incremental: mean accuracy in percent after the last task", header, rows)


def _draw(found: Findings, path: Path) -> None:
    published, methods = _theirs(), list(found.about["methods"])
    scenarios = list(found.about["scenarios"])
    with picture(path, (2.0 + 3.2 * len(scenarios), 0.9 + 0.32 * len(methods))) as figure:
        panels = figure.subplots(1, len(scenarios), squeeze=False)[0]
        for panel, scenario in zip(panels, scenarios, strict=True):
            for row, method in enumerate(methods[::-1]):
                theirs = [published[scenario, method].moments] if (scenario, method) in published else []
                both = [*((of, 0.16, "none") for of in theirs), (_ours(found, scenario, method), -0.16, "C0")]
                for of, up, fill in both:
                    if of.n:
                        style: Mapping[str, Any] = {"color": "C1" if fill == "none" else "C0", "markerfacecolor": fill}
                        panel.errorbar(of.mean, row + up, xerr=_half(of), fmt="o", markersize=5, elinewidth=1, **style)
            panel.set_yticks(range(len(methods)), methods[::-1] if panel is panels[0] else [])
            panel.set_ylim(-0.6, len(methods) - 0.4)
            panel.set_title(f"{scenario}-incremental", loc="left", weight="bold")
            panel.set_xlabel("accuracy (%)")
            panel.grid(axis="x", color="0.92")
        for label, colour, fill in (("theirs", "C1", "none"), ("ours", "C0", "C0")):
            panels[-1].plot([], [], "o", color=colour, markerfacecolor=fill, label=label)
        panels[-1].legend(frameon=False, loc="center")


def _half(of: Moments) -> float:
    """Return half the width of the 95 % interval of a mean; zero of a single run."""
    from scipy import stats

    return 0.0 if of.n < 2 else float(stats.t.ppf(0.975, of.n - 1)) * of.sd / sqrt(of.n)
