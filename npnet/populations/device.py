"""A population on another device: all arrays of its jobs moved, what they share still shared."""

from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import to_device, to_host
from npnet.data import Split, Task
from npnet.regularizers import Regularizer
from npnet.run import Run, TrainingJob

__all__ = ["move"]


@checked
def move(jobs: Sequence[TrainingJob], xp: ModuleType) -> list[TrainingJob]:
    """Return the jobs with all their arrays in xp, numpy or cupy.

    Splits that some of them share they share there too; inputs that were drawn as they were read are arrays then.
    """
    known: dict[int, Split] = {}

    def there(tree: Any) -> Any:
        return to_host(tree) if xp is np else to_device(tree, xp)

    def split(here: Split) -> Split:
        if id(here) not in known:
            weights = None if here.weights is None else there(here.weights)
            known[id(here)] = Split(there(here.inputs[:]), there(here.labels), here.kind, weights)
        return known[id(here)]

    def task(here: Task) -> Task:
        return replace(here, train=split(here.train), validation=split(here.validation), test=split(here.test))

    def regularizer(here: Regularizer) -> Regularizer:
        return replace(here, anchors=there(here.anchors), scales=there(here.scales))

    def run(here: Run) -> Run:
        moved = {name: there(getattr(here, name)) for name in ("buffers", "best", "learned")}
        return replace(here, network=here.network.to(xp), **moved)

    return [
        replace(
            each,
            run=run(each.run),
            tasks={head: task(of) for head, of in each.tasks.items()},
            settings=replace(each.settings, regularizers=tuple(map(regularizer, each.settings.regularizers))),
            evaluations={name: (head, split(of)) for name, (head, of) in each.evaluations.items()},
        )
        for each in jobs
    ]
