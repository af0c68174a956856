"""All studies, by the names that they have on the command line and in results."""

from collections.abc import Mapping
from typing import Any

from experiments.frame.study import Study
from experiments.studies.atlas.study import EveryMethod
from experiments.studies.columns.study import Columns
from experiments.studies.difficulty.study import Difficulty
from experiments.studies.distillation.study import Distillation
from experiments.studies.growing import Growing
from experiments.studies.image_prior.study import ImagePrior
from experiments.studies.matching.study import Matching
from experiments.studies.modules import Modules
from experiments.studies.quickstart.study import Quickstart
from experiments.studies.rivals import Rivals
from experiments.studies.scenarios import Scenarios
from experiments.studies.selection.study import Selection
from experiments.studies.sensitivity.study import Sensitivity
from experiments.studies.several_tasks.study import SeveralTasks
from experiments.studies.split_mnist.study import SplitMnist
from experiments.studies.starting_point.study import StartingPoint
from experiments.studies.tables.study import Tables
from experiments.studies.threshold.study import Threshold
from experiments.studies.transferability.study import Transferability
from experiments.studies.wild.study import CheckedInTheWild
from experiments.studies.without_forgetting import WithoutForgetting

__all__ = ["GROUPS", "STUDIES", "study_named"]

GROUPS: Mapping[str, Mapping[str, type[Study]]] = {
    title: {study.name: study for study in studies}
    for title, studies in {
        "Start here": (Quickstart,),
        "The paper": (Tables, Sensitivity, Difficulty, Threshold),
        "Methods": (
            EveryMethod,
            Rivals,
            StartingPoint,
            WithoutForgetting,
            Scenarios,
            Growing,
            Modules,
            Distillation,
            Matching,
            Selection,
            ImagePrior,
        ),
        "Several tasks": (Columns, SplitMnist, SeveralTasks, Transferability),
        "The checker": (CheckedInTheWild,),
    }.items()
}
"""The studies by name, in the groups in which the help shows them."""

STUDIES: Mapping[str, type[Study]] = {name: study for group in GROUPS.values() for name, study in group.items()}


def study_named(about: Mapping[str, Any]) -> type[Study]:
    """Return the study that a configuration.json or results.json belongs to; that of one table is the tables'."""
    return STUDIES.get(about.get("experiment", ""), Tables)
