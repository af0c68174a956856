"""What is studied, as data: the tables of the paper, the protocol with which one is repeated, its presets.

Source: Montone, O'Regan and Terekhov 2017, sections 3 to 5. What the paper does not say (batch size, initialisation,
which weights a run ends with, whether patience begins again when a layer joins) are fields of Protocol, with defaults.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Literal, get_args

from experiments.frame.study import Preset
from experiments.frame.tasks import Sizes
from npnet import Regularizer, l1
from npnet.initialisers import INITIALISERS

__all__ = [
    "REGULARIZERS",
    "ROWS",
    "TABLES",
    "Regularization",
    "Table",
    "TableDesign",
    "TrainingProtocol",
    "protocol",
    "row_of",
]

Initialise = Literal["glorot", "he", "uniform_fan_in", "normal"]
Pixels = Literal["unit", "centred", "standard"]


@dataclass(frozen=True)
class Table:
    """One table of the paper: the tasks learned first (together, where there are several), the new one, the widths."""

    number: int
    first: tuple[str, ...]
    second: str
    hidden: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name on the command line and in the results."""
        return f"table{self.number}"

    @property
    def setting(self) -> str:
        """Tasks and network in one line, as in "acl->ac 500-500"."""
        return f"{'+'.join(self.first)}->{self.second} {self.network}"

    @property
    def of_digits(self) -> bool:
        """Whether the tasks are digits, from files or drawn; else lines and angles."""
        return self.second.startswith(("mnist", "digits"))

    @property
    def network(self) -> str:
        """The widths, as in "500-500"."""
        return "-".join(map(str, self.hidden))


@dataclass(frozen=True)
class Regularization:
    """How a row of a table regularizes: λ of the sum of absolute weights, and whether hidden layers drop out."""

    l1: float = 0.0
    dropout: bool = False

    def regularizers(self, scale: float = 1.0, biases: bool = False) -> tuple[Regularizer, ...]:
        """Return the penalties, λ multiplied by `scale`."""
        return (Regularizer(l1, scale * self.l1, biases=biases),) if self.l1 else ()

    def rates(self, depth: int) -> tuple[float, ...]:
        """Return the dropout rates: 0.2 after the first hidden layer, 0.5 after the others (section 3)."""
        return (0.2, *(0.5,) * (depth - 1)) if self.dropout else ()


@dataclass(frozen=True)
class TrainingProtocol(Sizes):
    """How a table is repeated. Errors are percent, rates per step; raises ValueError for values out of range.

    Attributes:
        seeds: repetitions on the second task, for both methods.
        networks: first networks, each with data and a start of its own; repetition s begins with network s modulo
            networks. The paper's repetitions seem to begin with one.
        batch_size: examples in a batch.
        rate: learning rate.
        patience: a run ends after so many epochs without a new minimum of the validation error.
        max_epochs_a: most epochs on the first task.
        max_epochs_b: most epochs on the second task.
        initialise: initialiser of the first network.
        initialise_head: initialiser of the new head; by default the network's.
        keep: keep the weights of the best validation epoch, or the last ones.
        patience_restarts: whether patience starts again when a layer joins.
        data_seed: seed of the stimuli, of the split of image files, and of the first network.
        pixels: unit: [0, 1]. centred: [-1, 1]. standard: mean 0, standard deviation 1 over the training images' pixels.
        difference: a layer joins when the difference of two epochs' errors is small: its absolute value, or the
            improvement.
        l1_scale: factor on the strength of L1.
        l1_biases: whether L1 penalises biases too.
        together: with several first tasks a minimum is one of all their errors (as in the paper), or of their mean.
    """

    seeds: int = 5
    networks: int = 1
    batch_size: int = 20
    rate: float = 0.01
    patience: int = 20
    max_epochs_a: int = 1000
    max_epochs_b: int = 1000
    initialise: Initialise = "glorot"
    initialise_head: Initialise | None = None
    keep: Literal["best", "last"] = "best"
    patience_restarts: bool = True
    data_seed: int = 0
    pixels: Pixels = "unit"
    difference: Literal["absolute", "improvement"] = "absolute"
    l1_scale: float = 1.0
    l1_biases: bool = False
    together: Literal["all", "mean"] = "all"

    def __post_init__(self) -> None:
        at_least_1 = ("seeds", "networks", "batch_size", "patience", "max_epochs_a", "max_epochs_b")
        for name in ("train", "validation", "test", *at_least_1):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; expected at least 1")
        if not 0 < self.rate < inf:
            raise ValueError(f"rate is {self.rate}; expected a finite number above zero")
        if not 0 <= self.l1_scale < inf:
            raise ValueError(f"l1_scale is {self.l1_scale}; expected a finite number, zero or more")
        if self.data_seed < 0:
            raise ValueError(f"data_seed is {self.data_seed}; expected zero or more")
        for name, known in (
            ("initialise", tuple(INITIALISERS)),
            ("initialise_head", (None, *INITIALISERS)),
            ("keep", ("best", "last")),
            ("pixels", get_args(Pixels)),
            ("together", ("all", "mean")),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected one of {known}")

    @property
    def first_networks(self) -> range:
        """Return the first networks that any repetition begins with."""
        return range(min(self.networks, self.seeds))

    def network_of(self, seed: int) -> int:
        """Return which first network a repetition begins with."""
        return seed % self.networks

    def of(self, seed: int) -> "TrainingProtocol":
        """Return the protocol of one repetition, whose data_seed gives its data and its first network."""
        return replace(self, seeds=1, networks=1, data_seed=self.data_seed + self.network_of(seed))


@dataclass(frozen=True)
class TableDesign:
    """One table under one protocol: all that its numbers depend on.

    variant: the name of a protocol that is not the paper's, in a study of several; none for the table itself.
    """

    table: Table
    protocol: TrainingProtocol
    regularizers: tuple[str, ...] = ("none", "l1", "dropout")
    methods: tuple[str, ...] = ("fine", "gradual")
    variant: str = ""

    @property
    def name(self) -> str:
        """The name of the folder of its results."""
        return self.variant or self.table.name

    @property
    def cluster(self) -> Callable[[int], int] | None:
        """What `paired` takes repetitions together by: their first network. None where all begin with one."""
        return self.protocol.network_of if len(self.protocol.first_networks) > 1 else None

    def first_job(self, regularizer: str, seed: int = 0) -> str:
        """Return the name of the job of a repetition's first network, which all tables share that begin with it."""
        what = f"first-{'+'.join(self.table.first)}-{self.table.network}-{regularizer}"
        network = self.protocol.network_of(seed)
        what += f"-{network}" if network else ""
        return f"{self.variant}-{what}" if self.variant else what

    def second_job(self, regularizer: str, method: str, seed: int) -> str:
        """Return the name of the job of a run on the second task."""
        return f"{self.name}-{regularizer}-{method}-{seed}"


REGULARIZERS = {
    "none": Regularization(),
    "l1": Regularization(l1=1e-4),
    "l1_twentieth": Regularization(l1=1e-4 / 20),
    "dropout": Regularization(dropout=True),
}
"""What the runs of a row are regularized by; the paper says of L1 that λ = 1e-4 times the sum is added to the error.

l1: to the mean error of a batch. l1_twentieth: to the sum of its 20 errors, with a rate that is divided by 20.
"""

ROWS = {"none": ("none",), "l1": ("l1", "l1_twentieth"), "dropout": ("dropout",)}
"""The rows of the paper's tables, and as what each of them can be repeated, its first reading first."""


def row_of(regularizer: str) -> str:
    """Return the row of the paper's tables that a regularizer is a reading of."""
    return next(row for row, readings in ROWS.items() if regularizer in readings)


_SMALL, _LARGE = (500, 500), (1000, 1000, 1000)
_FIVE = ("acl", "sb2l", "sbl", "sbt", "cnc")

TABLES = {
    table.name: table
    for table in (
        Table(1, ("mnist04",), "mnist59", _SMALL),
        Table(2, ("mnist04",), "mnist59", _LARGE),
        Table(3, ("acl",), "ac", _SMALL),
        Table(4, ("acl",), "ac", _LARGE),
        Table(5, ("acl",), "atl", _SMALL),
        Table(6, ("acl",), "atl", _LARGE),
        Table(7, _FIVE, "ac", _LARGE),
        Table(8, _FIVE, "atl", _LARGE),
    )
}
"""The tables of the paper."""

_IMAGES = TrainingProtocol(train=20_000, validation=5_000, test=5_000)
_STIMULI = TrainingProtocol(train=330_000, validation=10_000, test=10_000)


def protocol(table: Table, preset: Preset) -> TrainingProtocol:
    """Return what a table is repeated with: the paper's protocol, a fraction of it, or next to nothing.

    quick: for 500-500 minutes on two cores, for 1000-1000-1000 an hour, for five first tasks some hours. Stimuli:
    24,000 for training, batches of 40 (with 20 an epoch's end is more of an accident) and caps on epochs that runs
    reach before patience ends them. Images: a quarter for training, half the patience, caps.
    """
    paper = _IMAGES if table.of_digits else _STIMULI
    if preset == "paper":
        return paper
    if preset == "smoke":
        return replace(paper, train=200, validation=100, test=100, seeds=2, max_epochs_a=3, max_epochs_b=4)
    if paper is _IMAGES:
        return replace(paper, train=5_000, seeds=3, patience=10, max_epochs_a=40, max_epochs_b=40)
    return replace(
        paper, train=24_000, validation=4_000, test=4_000, seeds=3, batch_size=40, max_epochs_a=32, max_epochs_b=16
    )
