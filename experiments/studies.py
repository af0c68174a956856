"""The studies: every one that the command line knows, and whose results can be reported."""

from collections.abc import Mapping
from typing import Any

from experiments.columns.study import Columns
from experiments.difficulty.study import Difficulty
from experiments.distillation import Distillation
from experiments.experiment import Experiment
from experiments.growing import Growing
from experiments.image_prior.study import ImagePrior
from experiments.matching.study import Matching
from experiments.modules import Modules
from experiments.rivals import Rivals
from experiments.scenarios import Scenarios
from experiments.selection.study import Selection
from experiments.sensitivity.study import Sensitivity
from experiments.several_tasks import SeveralTasks
from experiments.starting_point.study import StartingPoint
from experiments.tables.study import Tables
from experiments.transferability.study import Transferability
from experiments.without_forgetting import WithoutForgetting

__all__ = ["STUDIES", "study_named"]

_STUDIES: tuple[type[Experiment], ...] = (
    Tables,
    Sensitivity,
    Rivals,
    Difficulty,
    StartingPoint,
    Transferability,
    Scenarios,
    Growing,
    Columns,
    Modules,
    Distillation,
    Matching,
    WithoutForgetting,
    SeveralTasks,
    Selection,
    ImagePrior,
)

STUDIES: Mapping[str, type[Experiment]] = {study.name: study for study in _STUDIES}


def study_named(about: Mapping[str, Any]) -> type[Experiment]:
    """Return the study that a configuration.json or results.json is of; the results of one table are of the tables."""
    return STUDIES.get(about.get("experiment", ""), Tables)
