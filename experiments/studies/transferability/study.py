"""Layer-wise transferability on the command line, and its tables."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import permutations
from pathlib import Path
from statistics import fmean
from typing import Any, ClassVar

from experiments.frame.grids import Grid
from experiments.frame.long_form import Findings, LongFormStudy
from experiments.frame.statistics import holm
from experiments.frame.study import Plan
from experiments.frame.task_specs import network_name
from experiments.frame.text import number, spread
from experiments.studies.transferability.design import (
    PRESETS,
    Group,
    TransferabilityDesign,
    freezing_label,
    pair_setting,
    transferability_jobs,
)
from experiments.studies.transferability.figures import draw_transferability
from experiments.studies.transferability.measures import Beside, asymmetry, gains, shares, symmetry

__all__ = ["Transferability"]


@dataclass(frozen=True)
class Transferability(LongFormStudy):
    """Measure how well features transfer, layer by layer.

    The first layers of a network that knows one task are frozen, and the rest learns another one: every pair of tasks,
    every number of frozen layers."""

    name: ClassVar[str] = "transferability"

    def plan(self) -> Plan:
        """Return what to run."""
        design = PRESETS[self.preset]
        jobs = transferability_jobs(design)
        configuration = {"experiment": self.name, "design": asdict(design)}
        return Plan(f"{len(jobs)} networks", configuration, jobs)

    @classmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return errors of small groups by layers held, the symmetry of all pairs, and what gains depend on."""
        design = _design(found)
        errors = [_errors(found, design, group) for group in design.groups]
        return [*errors, *(_symmetries(found, design, beside) for beside in WORDS), *_decides(found, design)]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw curves, maps and directions."""
        return draw_transferability(found, _design(found), out)


def _design(found: Findings) -> TransferabilityDesign:
    """Return the design that findings are of."""
    given: dict[str, Any] = dict(found.about["design"])
    given["groups"] = tuple(Group(g["name"], tuple(g["tasks"]), g["source_train"]) for g in given["groups"])
    given["networks"] = tuple(map(tuple, given["networks"]))
    return TransferabilityDesign(**given)


def _errors(found: Findings, design: TransferabilityDesign, group: Group) -> Grid:
    """Return the errors of a group: of every pair where there are few, of their mean where there are many."""
    most = max(map(len, design.networks))
    rows = []
    for hidden in design.networks:
        for label, pairs in _families(group):
            row = [label, network_name(hidden)]
            for layers in range(most + 1):
                by_seed: dict[int, list[float]] = {}
                for source, target in pairs:
                    for seed, value in found.values(
                        pair_setting(source, target, hidden), freezing_label(layers)
                    ).items():
                        by_seed.setdefault(seed, []).append(value)
                row.append(spread([fmean(v) for v in by_seed.values() if len(v) == len(pairs)], 2) if by_seed else "")
            rows.append(row)
    header = ["source → target", "network", *(f"{n} held" for n in range(most + 1))]
    return Grid(f"Group {group.name}: errors on the target in percent, by hidden layers held", header, rows)


def _families(group: Group) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the rows of a group's table."""
    if len(group.tasks) <= 2:
        yield from ((f"{s} → {t}", [(s, t)]) for t in group.tasks for s in group.sources)
        return
    for target in group.tasks:
        yield f"untrained → {target}", [(group.sources[-1], target)]
        yield f"{target} → {target}", [(target, target)]
        yield f"others → {target}, mean", [(other, target) for other in group.tasks if other != target]


WORDS: Mapping[Beside, str] = {"scratch": "the errors from scratch", "random": "the errors on as many random layers"}
"""What gains are a part of."""


def _symmetries(found: Findings, design: TransferabilityDesign, beside: Beside) -> Grid:
    """Return the test of symmetry of each group and network, for every number of layers held."""
    rows = []
    for group in design.groups:
        for hidden in design.networks:
            for layers in range(len(hidden) + 1):
                of = gains(found, group, hidden, layers, beside)
                pairs, all_of_them = asymmetry(of, group.tasks), symmetry(of, group.tasks)
                clear = sum(p < 0.05 for p in holm([each.p for each in pairs.values()]))
                widest = max(pairs, key=lambda pair: abs(pairs[pair].difference) if pairs[pair].n else -1)
                difference = number(pairs[widest].difference, 0, "+")
                p = f"{all_of_them.p:.2g}" if all_of_them.p == all_of_them.p else "–"
                F = f"{number(all_of_them.F, 1)} ({all_of_them.between}, {all_of_them.within})"
                there = f"{widest[0]} → {widest[1]}: {difference}"
                rows.append([group.name, network_name(hidden), str(layers), F, p, f"{clear} of {len(pairs)}", there])
    header = ["group", "network", "held", "F", "p", "pairs, p < 0.05 (Holm)", "widest, gain there − back"]
    title = f"Is a → b as good as b → a? Gains in percent of {WORDS[beside]}; all pairs of a group at once, then each"
    return Grid(title, header, rows)


def _decides(found: Findings, design: TransferabilityDesign) -> list[Grid]:
    """Return how much of the gains' variance goes with the pair of tasks, and how much with the network."""
    rows = []
    for group in (group for group in design.groups if len(group.tasks) > 2):
        for fraction in (0.0, 0.5, 1.0):
            per_network = [gains(found, group, hidden, round(fraction * len(hidden))) for hidden in design.networks]
            parts = shares(per_network, list(permutations(group.tasks, 2)))
            if parts:
                values = [f"{100 * part:.0f} %" for part in (parts.pair, parts.network, parts.together, parts.seed)]
                rows.append([group.name, f"{100 * fraction:.0f} %", *values])
    header = ["group", "layers held", "pair of tasks", "network", "both together", "seeds"]
    title = "What the gain depends on: shares of its variance over all pairs of different tasks"
    return [Grid(title, header, rows)] if rows else []
