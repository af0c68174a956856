"""Joint fine tuning: the source task trains together with the new one, with all of its images or with similar ones.

Batches of both take turns through one trunk, each task with its head. Selective joint fine tuning takes of the source
the nearest neighbours of the new task's images alone, and more of them, round by round, for images that stay
misclassified. Surgery and policy are those of any method (`begin(fine_tuning, ...)`): what is chosen here is data.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from npnet.arguments import checked
from npnet.arrays import Array, array_module, shown
from npnet.data import Split, Task, batch, part
from npnet.error import BLOCK, largest
from npnet.hyperparameters import Hyperparameters
from npnet.joint_tuning.selection import Neighbours
from npnet.network import Network
from npnet.run import Record, Run
from npnet.training import train

__all__ = ["joint_tasks", "misclassified", "selective_joint_tuning"]


@checked
def joint_tasks(source: Task, task: Task, rows: Array | None = None) -> dict[str, Task]:
    """Return both tasks by their heads, the new one first, the source's training set cut down to some rows.

    Raises ValueError where they have one name, or no row is left.
    """
    if source.name == task.name:
        raise ValueError(f"source and task are both {task.name!r}; expected two names, those of their heads")
    if rows is not None:
        if rows.dtype.kind not in "iub":
            raise ValueError(f"rows is {shown(rows)}; expected whole numbers")
        source = replace(source, train=part(source.train, rows))
    return {task.name: task, source.name: source}


def misclassified(network: Network, head: str, split: Split) -> Array:
    """Return which examples of a split a head gets wrong: (N,), true or false. Raises ValueError for a regression."""
    if split.kind != "classes" or network.head(head)["b"].shape[-1] == 1:
        raise ValueError(f"split for head {head!r} has {split.kind}; expected classes, with an output each")
    blocks = []
    for at in range(0, len(split), BLOCK):
        rows = slice(at, at + BLOCK)
        blocks.append(largest(network.logits(batch(split, rows, network.dtype), head)) != split.labels[rows])
    return array_module(blocks[0]).concatenate(blocks)


@checked
def selective_joint_tuning(
    run: Run,
    source: Task,
    task: Task,
    neighbours: Neighbours,
    hyperparameters: Hyperparameters | None = None,
    every: int = 5,
    step: int = 1,
) -> Iterator[tuple[Record, Neighbours]]:
    """Train on the task and its neighbours in the source, yielding the record of each epoch and the neighbours of it.

    After every `every` epochs each training image that is misclassified gets `step` more neighbours; 0 keeps them as
    they are. Saved with the run, the neighbours of the last epoch let it go on to the same bits. `watch=(task.name,)`
    lets the new task alone decide when to stop. Raises ValueError for less than one epoch between rounds, for a
    negative step, and for neighbours of other tasks; with a step of 0 they may be any rows of the source.
    Source: Ge and Yu 2017, sections 3.1 and 3.3.
    """
    if every < 1:
        raise ValueError(f"every is {every}; expected at least one epoch")
    if step < 0:
        raise ValueError(f"step is {step}; expected zero or more")
    ranked, n, m = neighbours.ranking, len(task.train), len(source.train)
    if (step and len(ranked) != n) or ranked.max() >= m:
        raise ValueError(
            f"neighbours are of {len(ranked)} images, up to source image {ranked.max()}; expected of {n}, below {m}"
        )
    while not run.finished:
        done = len(run.history)
        if done and done % every == 0 and step:
            neighbours = neighbours.grown(misclassified(run.network, task.name, task.train), step)
        tasks = joint_tasks(source, task, neighbours.rows())
        before = len(run.history)
        for record in islice(train(run, tasks, hyperparameters), every - done % every):
            yield record, neighbours
        if len(run.history) == before:
            return
