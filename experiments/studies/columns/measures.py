"""What a sequence came to: error matrices, transfer scores and forward transfer, from the measurements alone."""

from itertools import product

import numpy as np

from experiments.frame.long_form import Findings
from experiments.frame.source_and_target import source_setting
from experiments.studies.columns.design import FIRST, UNTRAINED, after, before
from npnet.arrays import Array
from npnet.measures import forward_transfer, transfer_score

__all__ = ["error_matrices", "errors_alone", "forward_transfers", "tasks_of", "transfer_scores"]


def tasks_of(found: Findings, family: str) -> list[str]:
    """Return the tasks of a family in the order in which they are learned."""
    return [spec["task"] for spec in found.about["sequences"][family]]


def errors_alone(found: Findings, task: str) -> dict[int, float]:
    """Return {seed: error} of a network that learned the task alone."""
    return found.values(source_setting(task, found.about["hidden"]), "scratch")


def error_matrices(found: Findings, family: str, method: str) -> dict[int, Array]:
    """Return the error matrix of every seed that is complete."""
    tasks = tasks_of(found, family)
    matrices = {}
    for seed, first in errors_alone(found, tasks[0]).items():
        E = np.full((len(tasks), len(tasks)), np.nan)
        E[0, 0] = first
        for i, j in product(range(1, len(tasks)), range(len(tasks))):
            if j <= i:
                E[i, j] = found.values(after(family, tasks[i]), method, f"error on {tasks[j]}").get(seed, np.nan)
        if not np.isnan(E[np.tril_indices(len(tasks))]).any():
            matrices[seed] = E
    return matrices


def transfer_scores(found: Findings, family: str, method: str) -> dict[int, list[float]]:
    """Return the transfer score of every task but the first, for each seed."""
    tasks = tasks_of(found, family)
    alone = [errors_alone(found, task) for task in tasks]
    return {
        seed: [transfer_score(E[k, k], alone[k][seed]) for k in range(1, len(tasks))]
        for seed, E in error_matrices(found, family, method).items()
        if all(seed in each for each in alone)
    }


def forward_transfers(found: Findings, family: str, method: str) -> list[float]:
    """Return the forward transfer of each seed: what a new head makes of the features before the task is learned."""
    tasks, transfers = tasks_of(found, family), []
    for seed, E in error_matrices(found, family, method).items():
        heads = [
            found.values(before(family, task), FIRST if k == 0 else method).get(seed)
            for k, task in enumerate(tasks[1:])
        ]
        untrained = [found.values(before(family, task), UNTRAINED).get(seed) for task in tasks[1:]]
        if None not in heads and None not in untrained:
            E = E.copy()
            for k, value in enumerate(heads):
                E[k, k + 1] = value
            transfers.append(forward_transfer(E, np.array([np.nan, *untrained], float)))
    return transfers
