"""npnet: multi-layer perceptrons written by hand, to read and to measure how they learn, transfer and forget.

Reading order: arrays, layers, activations, losses, initialisers, network, perceptron, data, error, optimizers,
penalties, regularizers, policies, step, objective, hyperparameters, run, training; smooth, gelu, soft_losses,
schedules, clipping, orders, active_outputs, adagrad; then the rooms: methods, columns, matching, starting_point,
joint_tuning, populations, tasks, command, sklearn, exchange, check, proofs. Every value comes with its gradient, and
every gradient is proved by the complex step: `python -m npnet.proofs`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from npnet import orders
from npnet.activations import Activation, LeakyReLU, identity, relu
from npnet.active_outputs import active_outputs
from npnet.adagrad import Adagrad
from npnet.arrays import array_module, generator, to_device, to_host
from npnet.clipping import ClipByNorm
from npnet.columns import ColumnNetwork, growing, joined, merged, modular, progressive
from npnet.data import Split, Task
from npnet.error import error
from npnet.gelu import gelu
from npnet.hyperparameters import Hyperparameters
from npnet.initialisers import glorot, he, normal, uniform_fan_in
from npnet.joint_tuning import joint_tasks, neighbours_of, selective_joint_tuning
from npnet.layers import Dropout, Shared, chain, linear, normalise
from npnet.losses import Weighted, cross_entropy, squared_error
from npnet.matching import (
    Match,
    Terms,
    activation_matching,
    attention_transfer,
    distillation,
    input_gradient,
    jacobian,
    jacobian_matching,
    without_forgetting,
)
from npnet.measures import forgetting
from npnet.methods import (
    Discriminative,
    EqualBudget,
    Freeze,
    GradualByEpoch,
    GradualTuning,
    HeadOnly,
    Method,
    TopLayers,
    WarmUp,
    begin,
    fine_tuning,
    gradual_tuning,
    probe,
)
from npnet.network import Network
from npnet.objective import plain_loss
from npnet.optimizers import SGD, Adam, AdamW, Momentum, ProximalSGD
from npnet.penalties import group_lasso, l1, l2
from npnet.perceptron import mlp
from npnet.policies import FineTuning, Policy
from npnet.populations import train_population
from npnet.regularizers import Regularizer
from npnet.run import Run, TrainingJob
from npnet.schedules import constant, cosine, step
from npnet.smooth import sigmoid, silu, softplus, tanh
from npnet.soft_losses import sigmoid_cross_entropy, soft_cross_entropy
from npnet.starting_point import PathIntegral, fisher_information, path_importance, remember, starting_point
from npnet.step import NotFiniteError
from npnet.training import train
from npnet.trees import load_tree, save_tree

if TYPE_CHECKING:
    from npnet.check import check_gradient

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import npnet.check, npnet.plot and npnet.tasks when they are first asked for: training needs none of them."""
    if name in ("check", "plot", "tasks"):
        return import_module(f"npnet.{name}")
    if name == "check_gradient":
        return import_module("npnet.check").check_gradient
    raise AttributeError(f"module 'npnet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    "SGD",
    "Activation",
    "Adagrad",
    "Adam",
    "AdamW",
    "ClipByNorm",
    "ColumnNetwork",
    "Discriminative",
    "Dropout",
    "EqualBudget",
    "FineTuning",
    "Freeze",
    "GradualByEpoch",
    "GradualTuning",
    "HeadOnly",
    "Hyperparameters",
    "LeakyReLU",
    "Match",
    "Method",
    "Momentum",
    "Network",
    "NotFiniteError",
    "PathIntegral",
    "Policy",
    "ProximalSGD",
    "Regularizer",
    "Run",
    "Shared",
    "Split",
    "Task",
    "Terms",
    "TopLayers",
    "TrainingJob",
    "WarmUp",
    "Weighted",
    "activation_matching",
    "active_outputs",
    "array_module",
    "attention_transfer",
    "begin",
    "chain",
    "check_gradient",
    "constant",
    "cosine",
    "cross_entropy",
    "distillation",
    "error",
    "fine_tuning",
    "fisher_information",
    "forgetting",
    "gelu",
    "generator",
    "glorot",
    "gradual_tuning",
    "group_lasso",
    "growing",
    "he",
    "identity",
    "input_gradient",
    "jacobian",
    "jacobian_matching",
    "joined",
    "joint_tasks",
    "l1",
    "l2",
    "linear",
    "load_tree",
    "merged",
    "mlp",
    "modular",
    "neighbours_of",
    "normal",
    "normalise",
    "orders",
    "path_importance",
    "plain_loss",
    "probe",
    "progressive",
    "relu",
    "remember",
    "save_tree",
    "selective_joint_tuning",
    "sigmoid",
    "sigmoid_cross_entropy",
    "silu",
    "soft_cross_entropy",
    "softplus",
    "squared_error",
    "starting_point",
    "step",
    "tanh",
    "to_device",
    "to_host",
    "train",
    "train_population",
    "uniform_fan_in",
    "without_forgetting",
]
