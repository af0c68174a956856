"""npnet: multi-layer perceptrons written by hand, to read and to measure how they learn, transfer and forget.

Reading order: arrays, layers, losses, penalties, regularizers, laterals, initialisers, network, perceptron, optimizers,
policies, recordings, terms, hyperparameters, run, update, joint, training, population, fisher, matching, jacobians,
selection; methods, tasks, check, proofs. Every value comes with its gradient, and every gradient is checked by the
complex step (`python -m npnet.proofs`).
"""

from npnet.analysis import error, forgetting
from npnet.arrays import array_module, generator, to_device, to_host
from npnet.check import check_gradient
from npnet.fisher import fisher_information, remember
from npnet.hyperparameters import Hyperparameters
from npnet.initialisers import glorot, he, normal, uniform_fan_in
from npnet.jacobians import input_gradient, jacobian
from npnet.laterals import joined
from npnet.layers import chain, dropout, linear, normalise, relu, shared, sigmoid, tanh
from npnet.losses import cross_entropy, soft_cross_entropy, squared_error
from npnet.methods import (
    Method,
    activation_matching,
    attention_transfer,
    begin,
    distillation,
    fine_tuning,
    gradual_tuning,
    growing,
    jacobian_matching,
    joint_tasks,
    merged,
    modular,
    probe,
    progressive,
    selective_joint_tuning,
    starting_point,
    without_forgetting,
)
from npnet.network import Network
from npnet.optimizers import SGD, Adam, Momentum, ProximalSGD, constant, cosine, step
from npnet.penalties import group_lasso, l1, l2
from npnet.perceptron import mlp
from npnet.policies import (
    Discriminative,
    EqualBudget,
    FineTuning,
    Freeze,
    GradualByEpoch,
    GradualTuning,
    HeadOnly,
    TopLayers,
    WarmUp,
)
from npnet.population import train_population
from npnet.regularizers import Regularizer
from npnet.run import Replicate, Run
from npnet.selection import neighbours_of
from npnet.tasks.data import Split, Task
from npnet.terms import Match
from npnet.training import train
from npnet.trees import load_tree, save_tree
from npnet.update import NotFiniteError

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "Discriminative",
    "EqualBudget",
    "FineTuning",
    "Freeze",
    "GradualByEpoch",
    "GradualTuning",
    "HeadOnly",
    "Hyperparameters",
    "Match",
    "Method",
    "Momentum",
    "Network",
    "NotFiniteError",
    "ProximalSGD",
    "Regularizer",
    "Replicate",
    "Run",
    "Split",
    "Task",
    "TopLayers",
    "WarmUp",
    "activation_matching",
    "array_module",
    "attention_transfer",
    "begin",
    "chain",
    "check_gradient",
    "constant",
    "cosine",
    "cross_entropy",
    "distillation",
    "dropout",
    "error",
    "fine_tuning",
    "fisher_information",
    "forgetting",
    "generator",
    "glorot",
    "gradual_tuning",
    "group_lasso",
    "growing",
    "he",
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
    "probe",
    "progressive",
    "relu",
    "remember",
    "save_tree",
    "selective_joint_tuning",
    "shared",
    "sigmoid",
    "soft_cross_entropy",
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
