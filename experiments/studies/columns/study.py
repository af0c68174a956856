"""Tasks one after another: a column for each, next to all earlier ones, or one network that is tuned again and again.

Four or five tasks in a fixed order. After each, the errors on all tasks so far fill a row of the error matrix, from
which forgetting, backward and forward transfer follow (npnet.measures). The transfer score is a task's accuracy, just
after it was learned, over that of a network that learned it alone: above 1 the earlier tasks helped.

Source: Rusu et al. 2016, as the lecture of 2018 shows it (there on Atari games).
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import ClassVar

from experiments.frame.grids import Grid
from experiments.frame.long_form import Findings, LongFormStudy
from experiments.frame.study import Plan
from experiments.frame.task_specs import small
from experiments.frame.text import number, spread
from experiments.studies.columns.design import HIDDEN, METHODS, SEQUENCES, after, sequence_jobs
from experiments.studies.columns.figures import draw_matrices, draw_scores
from experiments.studies.columns.measures import (
    error_matrices,
    errors_alone,
    forward_transfers,
    tasks_of,
    transfer_scores,
)
from npnet.measures import backward_transfer, forgetting_since_best, forgetting_since_learned

__all__ = ["Columns"]


@dataclass(frozen=True)
class Columns(LongFormStudy):
    """Learn four or five tasks one after another.

    Each task gets a new column next to the earlier, frozen ones, or one network is tuned again and again."""

    name: ClassVar[str] = "columns"

    def plan(self) -> Plan:
        """Return what to run."""
        smoke = self.preset == "smoke"
        sequences = {"lines": tuple(map(small, SEQUENCES["lines"][:3]))} if smoke else SEQUENCES
        seeds = 2 if smoke else 3
        jobs = [job for seed in range(seeds) for of in sequences.items() for job in sequence_jobs(*of, seed)]
        configuration = {
            "experiment": self.name,
            "hidden": list(HIDDEN),
            "seeds": list(range(seeds)),
            "methods": list(METHODS),
            "sequences": {family: [asdict(spec) for spec in specs] for family, specs in sequences.items()},
        }
        return Plan(f"{len(jobs)} networks", configuration, jobs)

    @classmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return what each family's sequence came to under every method."""
        return [_summary(found, family) for family in found.about["sequences"]]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw the error matrices, and the transfer score of every task."""
        draw_matrices(found, out / "matrices.png")
        draw_scores(found, out / "scores.png")
        return {
            "matrices.png": "Errors on the tasks (columns) after each was learned (rows), percent, mean over seeds.",
            "scores.png": "Transfer score of each task when it was just learned, mean and 95 % interval over seeds: "
            "its accuracy over that of a network of the same width that learned it alone.",
        }


def _summary(found: Findings, family: str) -> Grid:
    tasks = tasks_of(found, family)
    alone = [errors_alone(found, task) for task in tasks]
    every = set.intersection(*map(set, alone))
    rows = [
        ["one network each", spread([fmean(each[s] for each in alone) for s in every], 2), *["–"] * 4, "1", "–"],
    ]
    for method in found.about["methods"]:
        matrices = list(error_matrices(found, family, method).values())
        size = list(found.values(after(family, tasks[-1]), method, "parameters").values())
        rows.append(
            [
                method,
                spread([float(E[-1].mean()) for E in matrices], 2),
                spread([float(forgetting_since_learned(E).mean()) for E in matrices], 2),
                spread([float(forgetting_since_best(E).mean()) for E in matrices], 2),
                spread([backward_transfer(E) for E in matrices], 2),
                spread(forward_transfers(found, family, method), 2),
                spread([fmean(scores) for scores in transfer_scores(found, family, method).values()], 3),
                number(size[0] / 1000, 0) if size else "–",
            ]
        )
    header = ["", "error", "forgotten since learned", "since best", "backward", "forward", "score", "numbers, 1,000"]
    return Grid(f"{' → '.join(tasks)}: errors in percent, transfer in points, means over tasks", header, rows)
