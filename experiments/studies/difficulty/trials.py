"""How hard the stimuli are, and which of the parameters that the paper leaves open make them so.

One network, 500-500, learns acl from scratch by the paper's protocol: with the paper's 330,000 training stimuli under
the calibrated appearance and a neighbour of it, where the paper's own errors on its first task are the mark; and with a
fraction of them under appearances in which the levels, the stroke, the background or the gap are others.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

from experiments.frame.jobs import Job, Result
from experiments.frame.study import Preset
from experiments.frame.training import TrainingFunction
from experiments.frame.workspace import Workspace
from experiments.studies.tables.design import REGULARIZERS, TrainingProtocol
from experiments.studies.tables.transfer import hyperparameters, leave
from npnet import Run, TrainingJob, error, generator, mlp
from npnet.initialisers import INITIALISERS
from npnet.tasks import CALIBRATED, line_task

__all__ = [
    "APPEARANCES",
    "HIDDEN",
    "PAPER_TRAIN",
    "PRESETS",
    "TASK",
    "AppearanceTrial",
    "difficulty_configuration",
    "difficulty_jobs",
]

TASK, HIDDEN = "acl", (500, 500)
PAPER_TRAIN = 330_000  # training stimuli of the paper

APPEARANCES = {
    "calibrated": CALIBRATED,
    "faint": replace(CALIBRATED, ground=(0.15, 0.30), contrast=(0.45, 0.65), amplitude=0.12),
    "clear": replace(CALIBRATED, ground=(0.12, 0.25), contrast=(0.52, 0.70), amplitude=0.09),
    "bright": replace(CALIBRATED, ground=(0.10, 0.20), contrast=(0.60, 0.75), amplitude=0.07),
    "thin": replace(CALIBRATED, width=1.0),
    "thick": replace(CALIBRATED, width=2.0),
    "plain": replace(CALIBRATED, amplitude=0.0, noise=0.0),
    "noisy": replace(CALIBRATED, amplitude=0.03, noise=0.09),
    "roomy": replace(CALIBRATED, gap=4.0),
}
"""What was varied: contrast and ground, stroke, background, the gap around distractors."""


@dataclass(frozen=True)
class AppearanceTrial:
    """One network to train: the appearance of its stimuli by name, how many it trains on, its regularizer.

    max_epochs: where training stops at the latest; None: where the protocol says.
    """

    appearance: str
    train: int
    regularizer: str = "none"
    max_epochs: int | None = None

    @property
    def name(self) -> str:
        """The name of its job."""
        return f"{self.appearance}-{self.train}-{self.regularizer}"


_CLEAR = (AppearanceTrial("clear", PAPER_TRAIN, "none", 90), AppearanceTrial("clear", PAPER_TRAIN, "l1", 80))
_CALIBRATED = (
    AppearanceTrial("calibrated", PAPER_TRAIN),
    AppearanceTrial("calibrated", PAPER_TRAIN, "l1_twentieth", 112),
)
_SOME = (AppearanceTrial("calibrated", 20_000), *(AppearanceTrial(each, 40_000, max_epochs=40) for each in APPEARANCES))

PRESETS: dict[Preset, tuple[tuple[AppearanceTrial, ...], TrainingProtocol]] = {
    "smoke": (
        (
            *(AppearanceTrial(each, 200) for each in APPEARANCES),
            AppearanceTrial("calibrated", 400),
            AppearanceTrial("calibrated", 400, "l1", 2),
        ),
        TrainingProtocol(train=400, validation=100, test=100, max_epochs_a=3),
    ),
    "paper": ((*_CLEAR, *_CALIBRATED, *_SOME), TrainingProtocol(train=PAPER_TRAIN, validation=10_000, test=10_000)),
}
"""What is trained, in which order, and how; a trial's own number of training stimuli counts.

Where a trial at the paper's size has a cap, its error was creeping on by hundredths of a point an epoch. Appearances
are compared after 40 epochs each, with the weights of the best of them.
"""


def difficulty_configuration(preset: Preset) -> dict[str, Any]:
    """Return what a results folder is computed from."""
    trials, protocol = PRESETS[preset]
    return {
        "experiment": "difficulty",
        "task": TASK,
        "hidden": list(HIDDEN),
        "trials": [asdict(trial) for trial in trials],
        "protocol": asdict(protocol),
        "regularizers": {name: asdict(regularization) for name, regularization in REGULARIZERS.items()},
        "appearances": {name: asdict(look) for name, look in APPEARANCES.items()},
    }


def begin_trial(workspace: Workspace, trial: AppearanceTrial, protocol: TrainingProtocol) -> TrainingJob:
    """Return a new network at its start on acl as a trial says, by the protocol of the paper's first tasks."""
    p, regularization = protocol, REGULARIZERS[trial.regularizer]
    task = line_task(TASK, p.data_seed, trial.train, p.validation, p.test, APPEARANCES[trial.appearance])
    rng = generator(p.data_seed, "first", TASK)  # the start that tables of the paper with this first task have, too
    network = mlp(
        (task.train.inputs.shape[-1], *HIDDEN),
        {TASK: 2},
        rng,
        INITIALISERS[p.initialise],
        dropout=regularization.rates(len(HIDDEN)),
    )
    return TrainingJob(
        Run(network, rng), {TASK: task}, hyperparameters(p, regularization, trial.max_epochs or p.max_epochs_a)
    )


def end_trial(
    workspace: Workspace, training: TrainingJob, seconds: float, trial: AppearanceTrial, protocol: TrainingProtocol
) -> Result:
    """Measure the errors on the test set and on what was trained on."""
    network, task = training.run.network, training.tasks[TASK]
    errors = {"test": error(network, TASK, task.test), "train": error(network, TASK, task.train)}
    return leave(workspace, training, seconds, errors)


def difficulty_jobs(preset: Preset) -> list[Job]:
    """Return a job for each trial; none needs another."""
    trials, protocol = PRESETS[preset]
    return [
        Job(trial.name, TrainingFunction(begin_trial, end_trial), {"trial": trial, "protocol": protocol})
        for trial in trials
    ]
