"""From scikit-learn's names for the settings of a perceptron to npnet's: optimizer, rate, penalties, policy.

The strength of L2 is scikit-learn's, α/2 ‖W‖² divided by the examples of a batch. L1 and group lasso are weighed
against the mean loss, whatever the batch. `solver="proximal"` takes proximal steps, which put weights at zero exactly.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from npnet.arrays import Array, shown
from npnet.columns import progressive
from npnet.data import Split
from npnet.hyperparameters import Hyperparameters
from npnet.initialisers import Initialiser
from npnet.layers import Parameters
from npnet.losses import Loss
from npnet.matching import without_forgetting
from npnet.methods import HeadOnly, Method, fine_tuning, gradual_tuning, probe
from npnet.methods.gradual_tuning import GradualTuning
from npnet.optimizers import SGD, Adam, Momentum, Optimizer, ProximalSGD
from npnet.orders import as_stored
from npnet.penalties import group_lasso, l1, l2
from npnet.policies import FineTuning, Mask
from npnet.regularizers import Regularizer
from npnet.schedules import constant

__all__ = ["METHODS", "AdaptiveRate", "activation_of", "hyperparameters", "initialiser", "method_of", "policy_of"]

METHODS: dict[str, Callable[[], Method]] = {
    "fine": lambda: fine_tuning,
    "gradual": lambda: gradual_tuning,
    "without_forgetting": without_forgetting,
    "gradual_without_forgetting": lambda: gradual_tuning + without_forgetting(),
    "progressive": progressive,
    "probe": probe,
}
"""The transfer methods that have a name here; any other is given as a Method."""

_POLICIES: dict[str, Callable[..., Mask]] = {"fine": FineTuning(), "gradual": GradualTuning(), "head": HeadOnly()}
_ACTIVATIONS = {"logistic": "sigmoid"}  # scikit-learn's name: ours


def choose(name: str, value: Any, known: Mapping[str, Any], also: str) -> Any:
    """Return what a name stands for. Raises ValueError for a name that is not known."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} is {shown(value)}; expected one of {', '.join(map(repr, known))}, or {also}")
    return known[value]


def method_of(given: Any) -> Method:
    """Return a transfer method, given itself or by its name. Raises ValueError for what is none."""
    return given if isinstance(given, Method) else choose("method", given, METHODS, "an npnet.Method")()


def policy_of(given: Any) -> Callable[..., Mask]:
    """Return an update policy, given itself or by its name; None is fine tuning. Raises ValueError for what is none."""
    if given is None or (callable(given) and not isinstance(given, type)):
        return given or FineTuning()
    return choose("policy", given, _POLICIES, "a policy, as npnet.Freeze(1)")


def activation_of(given: Any) -> Any:
    """Return an activation, or that of each hidden layer, under npnet's name for it."""
    if isinstance(given, list | tuple):
        return tuple(map(activation_of, given))
    return _ACTIVATIONS.get(given, given) if isinstance(given, str) else given


def initialiser(activation: Any) -> Initialiser:
    """Return how scikit-learn draws a layer: W and b uniform on ±√(6 / (fan_in + fan_out)), 2 for 6 under a sigmoid."""
    factor = 2.0 if isinstance(activation, str) and activation in ("logistic", "sigmoid") else 6.0

    def initialise(rng: np.random.Generator, fan_in: int, fan_out: int) -> Parameters:
        limit = (factor / (fan_in + fan_out)) ** 0.5
        return {"W": rng.uniform(-limit, limit, (fan_in, fan_out)), "b": rng.uniform(-limit, limit, fan_out)}

    return initialise


@dataclass
class AdaptiveRate:
    """The schedule that stays as it is until it is told to fall: learning_rate="adaptive"."""

    rate: float

    def __call__(self, epoch: int) -> float:
        """Return the rate as it stands."""
        return self.rate

    def falls(self) -> bool:
        """Divide the rate by 5 and report that it did; below 10⁻⁶ it falls no more."""
        if self.rate <= 1e-6:
            return False
        self.rate /= 5
        return True


@dataclass(frozen=True)
class _InverseScaling:
    """The schedule rate / (1 + examples seen before the epoch)^power."""

    rate: float
    power: float
    examples: int

    def __call__(self, epoch: int) -> float:
        """Return the rate of an epoch."""
        return float(self.rate / (1 + epoch * self.examples) ** self.power)


class Shuffled:
    """The order of examples that scikit-learn draws: each epoch shuffles the one before, with the generator of old.

    `random_state` so gives the same fit as there.
    """

    def __init__(self) -> None:
        self.rows: Any = None

    def __call__(self, rng: np.random.Generator, epoch: int, examples: int) -> Array:
        """Return the order of an epoch."""
        places = np.arange(examples)
        np.random.RandomState(rng.bit_generator).shuffle(places)
        self.rows = places if self.rows is None else self.rows[places]
        return self.rows


def schedule_of(given: Any, rate: float, power: float, examples: int, steps_alone: bool) -> Callable[[int], float]:
    """Return the schedule of a `learning_rate`: a function of the epoch as it is, or one by its name.

    steps_alone: whether the solver makes plain steps; names but "constant" are for these. Raises ValueError for an
    unknown name.
    """
    if callable(given):
        return given
    known: dict[str, Callable[[], Callable[[int], float]]] = {
        "constant": lambda: constant(rate),
        "invscaling": lambda: _InverseScaling(constant(rate).rate, power, examples),
        "adaptive": lambda: AdaptiveRate(constant(rate).rate),
    }
    made = choose("learning_rate", given, known, "a function of the epoch, as npnet.cosine(0.1, 50)")
    return made() if steps_alone else constant(rate)


def optimizer_of(e: Any) -> Optimizer:
    """Return the optimizer of an estimator's `solver`. Raises ValueError for what is none."""
    known: dict[str, Callable[[], Optimizer]] = {
        "adam": lambda: Adam(e.beta_1, e.beta_2, e.epsilon, epsilon_hat=True),
        "sgd": lambda: Momentum(e.momentum, e.nesterovs_momentum, rate_inside=True) if e.momentum else SGD(),
        "proximal": ProximalSGD,
        "lbfgs": SGD,  # not used: lbfgs moves all weights by itself
    }
    if not isinstance(e.solver, str) and hasattr(e.solver, "update"):
        return e.solver
    return choose("solver", e.solver, known, "an npnet optimizer")()


def hyperparameters(e: Any, examples: Split, loss: Loss) -> Hyperparameters:
    """Return the hyperparameters of an estimator for its training examples.

    Raises ValueError for parameters that are none, by npnet's or scikit-learn's name.
    """
    N, weight = len(examples), 1.0 if examples.weights is None else float(examples.weights.mean())
    batch = N if e.solver == "lbfgs" else min(200 if e.batch_size == "auto" else e.batch_size, N)
    penalties = (l2, e.alpha / (batch * weight)), (l1, e.l1), (group_lasso, e.group_lasso)
    return Hyperparameters(
        batch_size=batch,
        rate=schedule_of(e.learning_rate, e.learning_rate_init, e.power_t, N, e.solver in ("sgd", "proximal")),
        optimizer=optimizer_of(e),
        loss=loss,
        regularizers=tuple(Regularizer(penalty, strength) for penalty, strength in penalties if strength),
        patience=None,
        max_epochs=e.max_iter,
        keep="last",
        order=Shuffled() if e.shuffle else as_stored,
    )
