"""A wrong argument is refused by its name: every public function is called with six kinds of them in every position.

One table holds a valid call of each function and class that npnet and its rooms hand on, and what is done with the
result, for a method does its work where it begins. A call may accept what it is given. What it raises otherwise must
come from a `raise` of npnet's own and name the argument: no AttributeError, KeyError or the like from inside, and no
error of NumPy's about something that the caller never saw.

What is called at every step of training looks at shapes alone, or not even at these (INNER): whoever calls a layer, a
loss, a penalty or an initialiser directly gets NumPy's own errors, which name shapes.
"""

import ast
import importlib.util
import inspect
import itertools
import math
import tempfile
import traceback
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

import npnet
import npnet.orders
from npnet import check, exchange, tasks
from npnet.arguments import checked
from npnet.check import conformance
from npnet.check.conformance import run as conformance_run
from npnet.starting_point import Recipe

ROOMS = (
    *("methods", "columns", "matching", "starting_point", "joint_tuning", "populations", "tasks"),
    *("check", "check.conformance", "check.conformance.run", "exchange"),
)
ROOTS = (str(Path(npnet.__file__).parent),)

INNER = {
    *("linear", "normalise", "joined", "relu", "tanh", "sigmoid", "identity"),  # layers
    *("gelu", "silu", "softplus"),
    *(
        "cross_entropy",
        "soft_cross_entropy",
        "sigmoid_cross_entropy",
        "squared_error",
        "active_outputs",
    ),  # losses
    *("Weighted", "l1", "l2", "group_lasso"),  # what a loss is given; penalties
    *("glorot", "he", "normal", "uniform_fan_in"),  # initialisers: mlp and begin give them numbers
    *("plain_loss", "batch", "input_gradient"),  # what a step reads; a sweep
}
"""Public names that are not in the table."""


def split(n=12, classes=2):
    X = npnet.generator(0, "X", n).standard_normal((n, 4)).astype(np.float32)
    return npnet.Split(X, np.arange(n) % classes)


def task(name="t", classes=2):
    return npnet.Task(name, classes, split(12, classes), split(8, classes), split(8, classes))


def network(heads=("old",), depth=2):
    return npnet.mlp((4, *[3] * depth), dict.fromkeys(heads, 2), npnet.generator(0))


def rng():
    return npnet.generator(1)


def short(**changes):
    return npnet.Hyperparameters(max_epochs=2, **changes)


def run(heads=("t",)):
    return npnet.Run(network(heads), rng())


def gathered():
    """Return a run with path integrals."""
    made = run()
    next(npnet.train(made, {"t": task()}, npnet.Hyperparameters(objective=npnet.PathIntegral())))
    return made


def job():
    return npnet.TrainingJob(run(), {"t": task()}, short())


def learn(method):
    """Begin with a method, and train for an epoch."""
    began, settings = npnet.begin(method, network(), task(), rng(), short())
    next(npnet.train(began, {"t": task()}, settings))


def train_with(**settings):
    next(npnet.train(run(), {"t": task()}, npnet.Hyperparameters(**{"max_epochs": 1, **settings})))


def train_twice(**settings):
    """Train two epochs by settings of which some count epochs."""
    list(npnet.train(run(), {"t": task()}, short(**settings)))


def follow(policy):
    train_twice(policy=policy)


def loss(X):
    return float((X * X).sum()) / 2, X


def outputs(X):
    return X * X, lambda U: 2 * X * U, lambda dY: 2 * X * dY


def nothing(made):
    return made


def method(made):
    learn(made)


def columns():
    return npnet.begin(npnet.progressive(), network(), task(), rng())[0].network


TABLE = {
    "SGD": lambda: (npnet.SGD, {}, nothing),
    "ProximalSGD": lambda: (npnet.ProximalSGD, {}, nothing),
    "Momentum": lambda: (
        npnet.Momentum,
        {"momentum": 0.5, "nesterov": True, "rate_inside": False},
        lambda made: train_with(optimizer=made),
    ),
    "Adam": lambda: (
        npnet.Adam,
        {"beta1": 0.9, "beta2": 0.9, "epsilon": 1e-8, "epsilon_hat": True},
        lambda made: train_with(optimizer=made),
    ),
    "AdamW": lambda: (npnet.AdamW, {"weight_decay": 0.1, "beta1": 0.9}, lambda made: train_with(optimizer=made)),
    "Adagrad": lambda: (npnet.Adagrad, {"epsilon": 1e-8}, lambda made: train_with(optimizer=made)),
    "PathIntegral": lambda: (
        npnet.PathIntegral,
        {"objective": npnet.plain_loss},
        lambda made: train_with(objective=made),
    ),
    "path_importance": lambda: (
        npnet.path_importance,
        {"run": gathered(), "before": network(("t",)), "xi": 0.1, "head": "t"},
        nothing,
    ),
    "ClipByNorm": lambda: (npnet.ClipByNorm, {"norm": 1.0}, lambda made: train_with(clip=made)),
    "LeakyReLU": lambda: (npnet.LeakyReLU, {"below": 0.1}, lambda made: made({}, np.ones((2, 3)))),
    "constant": lambda: (npnet.constant, {"rate": 0.1}, lambda made: train_with(rate=made)),
    "step": lambda: (npnet.step, {"rate": 0.1, "every": 1, "factor": 0.5}, lambda made: train_twice(rate=made)),
    "cosine": lambda: (npnet.cosine, {"rate": 0.1, "epochs": 3}, lambda made: train_twice(rate=made)),
    "Activation": lambda: (
        npnet.Activation,
        {"name": "own", "value": np.tanh, "slope": lambda Z, Y: 1 - Y * Y, "curvature": lambda Z, Y: 0 * Z},
        lambda made: next(
            npnet.train(npnet.Run(npnet.mlp((4, 3), {"t": 2}, rng(), activation=made), rng()), {"t": task()})
        ),
    ),
    "Dropout": lambda: (npnet.Dropout, {"rate": 0.5}, lambda made: made({}, np.ones((2, 3)), rng())),
    "Shared": lambda: (
        npnet.Shared,
        {"patches": 2},
        lambda made: made({"W": np.ones((2, 3)), "b": np.ones(3)}, np.ones((5, 4))),
    ),
    "Network": lambda: (
        npnet.Network,
        {
            "trunk": network().trunk,
            "heads": {"t": network().heads["old"]},
            "activation": "relu",
            "dropout": (0.5, 0.0),
            "memories": {},
            "layers": (npnet.linear, npnet.linear),
            "inputs": 4,
            "head_layer": npnet.linear,
            "input_dropout": 0.1,
        },
        lambda made: next(npnet.train(npnet.Run(made, rng()), {"t": task()})),
    ),
    "ColumnNetwork": lambda: (
        npnet.ColumnNetwork,
        {
            **{name: getattr(columns(), name) for name in ("trunk", "heads", "activation", "dropout", "memories")},
            "layers": (),
            "inputs": 4,
            "head_layer": npnet.linear,
            "columns": columns().columns,
            "reads": columns().reads,
        },
        lambda made: next(npnet.train(npnet.Run(made, rng()), {"t": task()})),
    ),
    "mlp": lambda: (
        npnet.mlp,
        {
            "widths": (4, 3),
            "heads": {"t": 2},
            "rng": rng(),
            "initialise": npnet.he,
            "activation": "tanh",
            "dropout": 0.5,
            "dtype": np.float32,
            "patches": 2,
            "input_dropout": 0.1,
        },
        lambda made: next(npnet.train(npnet.Run(made, rng()), {"t": task()})),
    ),
    "Split": lambda: (
        npnet.Split,
        {"inputs": split().inputs, "labels": split().labels, "kind": "classes", "weights": np.ones(12, np.float32)},
        nothing,
    ),
    "Task": lambda: (
        npnet.Task,
        {"name": "t", "outputs": 2, "train": split(), "validation": split(), "test": split()},
        lambda made: next(npnet.train(run(), {"t": made})),
    ),
    "Hyperparameters": lambda: (
        npnet.Hyperparameters,
        {
            "batch_size": 5,
            "rate": npnet.constant(0.1),
            "optimizer": npnet.SGD(),
            "loss": npnet.cross_entropy,
            "regularizers": (),
            "max_norm": 1.0,
            "clip": None,
            "patience": 2,
            "patience_restarts": True,
            "max_epochs": 1,
            "keep": "best",
            "together": "all",
            "watch": (),
            "policy": npnet.FineTuning(),
            "objective": npnet.plain_loss,
            "order": npnet.orders.as_stored,
            "by": "error",
            "min_delta": 0.0,
            "memory_budget": 0,
            "blas_threads": 1,
        },
        lambda made: next(npnet.train(run(), {"t": task()}, made)),
    ),
    "Regularizer": lambda: (
        npnet.Regularizer,
        {
            "penalty": npnet.l1,
            "strength": 0.1,
            "where": "trunk",
            "biases": True,
            "anchors": network().trunk,
            "scales": [{key: abs(w) for key, w in p.items()} for p in network().trunk],
            "inherited": 2,
        },
        lambda made: train_with(regularizers=(made,)),
    ),
    "Terms": lambda: (
        npnet.Terms,
        {"terms": (), "weights": {"t": 1.0}, "schedule": "alternate", "learned_share": 1.0},
        lambda made: train_with(objective=made),
    ),
    "Match": lambda: (
        npnet.Match,
        {
            "name": "m",
            "task": "t",
            "place": 1,
            "loss": npnet.squared_error,
            "targets": np.ones((12, 5), np.float32),
            "weight": 1.0,
            "width": 5,
        },
        lambda made: train_with(objective=npnet.Terms((made,))),
    ),
    "add_terms": lambda: (
        npnet.matching.add_terms,
        {"settings": short(), "task": task(), "terms": [], "labels": 0.5},
        lambda made: next(npnet.train(run(), {"t": task()}, made)),
    ),
    "Run": lambda: (
        npnet.Run,
        {
            "network": network(("t",)),
            "rng": rng(),
            "buffers": {},
            "history": [],
            "best": None,
            "finished": False,
            "learned": {},
            "mask": None,
            "settings": None,
        },
        lambda made: next(npnet.train(made, {"t": task()})),
    ),
    "TrainingJob": lambda: (
        npnet.TrainingJob,
        {"run": run(), "tasks": {"t": task()}, "settings": short(), "evaluations": {}, "failure": None},
        lambda made: list(npnet.train_population([made])),
    ),
    "train": lambda: (
        npnet.train,
        {
            "run": run(),
            "tasks": {"t": task()},
            "hyperparameters": short(),
            "evaluations": {"again": ("t", split())},
        },
        list,
    ),
    "train_population": lambda: (npnet.train_population, {"jobs": [job()]}, list),
    "move": lambda: (npnet.populations.move, {"jobs": [job()], "xp": np}, nothing),
    "error": lambda: (npnet.error, {"network": network(), "head": "old", "split": split()}, nothing),
    "forgetting": lambda: (npnet.forgetting, {"before": 1.0, "after": 2.0}, nothing),
    "NotFiniteError": lambda: (npnet.NotFiniteError, {"what": "W", "layer": "head", "epoch": 1, "step": 2}, str),
    "Method": lambda: (
        npnet.Method,
        {
            "name": "own",
            "surgery": npnet.fine_tuning.surgery,
            "objective": npnet.fine_tuning.objective,
            "policy": npnet.FineTuning(),
        },
        lambda made: learn(made + npnet.fine_tuning),
    ),
    "begin": lambda: (
        npnet.begin,
        {
            "method": npnet.starting_point("l2_sp", 0.1),
            "network": network(),
            "task": task(),
            "rng": rng(),
            "hyperparameters": short(),
            "initialise": npnet.he,
        },
        lambda made: next(npnet.train(made[0], {"t": task()}, made[1])),
    ),
    "probe": lambda: (npnet.probe, {"layer": 1}, method),
    "Policy": lambda: (npnet.Policy, {}, nothing),
    "FineTuning": lambda: (npnet.FineTuning, {}, follow),
    "HeadOnly": lambda: (npnet.HeadOnly, {}, follow),
    "Freeze": lambda: (npnet.Freeze, {"layers": 1}, follow),
    "TopLayers": lambda: (npnet.TopLayers, {"layers": 1}, follow),
    "GradualByEpoch": lambda: (npnet.GradualByEpoch, {"every": 1}, follow),
    "GradualTuning": lambda: (npnet.GradualTuning, {"tolerance": 0.1, "difference": "absolute"}, follow),
    "Discriminative": lambda: (npnet.Discriminative, {"factor": 0.5, "policy": npnet.FineTuning()}, follow),
    "EqualBudget": lambda: (npnet.EqualBudget, {"epochs": 1, "policy": npnet.FineTuning()}, follow),
    "WarmUp": lambda: (npnet.WarmUp, {"epochs": 1, "policy": npnet.FineTuning()}, follow),
    "growing": lambda: (
        npnet.growing,
        {"wider": 1, "deeper": 2, "normalised": True, "noise": 0.1, "trained": 1},
        method,
    ),
    "progressive": lambda: (
        npnet.progressive,
        {"lateral": "adapter", "widths": (3, 2), "policy": npnet.FineTuning()},
        method,
    ),
    "modular": lambda: (npnet.modular, {"stitched": (1,), "widths": (3, 2), "policy": npnet.FineTuning()}, method),
    "merged": lambda: (
        npnet.merged,
        {"network": npnet.begin(npnet.growing(deeper=2, trained=0), network(), task(), rng())[0].network},
        nothing,
    ),
    "activation_matching": lambda: (
        npnet.activation_matching,
        {
            "teacher": network(("t",)),
            "beta": 1.0,
            "layers": [(1, 2)],
            "regressor": True,
            "labels": 0.5,
            "policy": npnet.FineTuning(),
        },
        method,
    ),
    "attention_transfer": lambda: (
        npnet.attention_transfer,
        {
            "teacher": network(("t",)),
            "kind": "units",
            "beta": 1.0,
            "p": 2.0,
            "squared": True,
            "layers": [(1, 2)],
            "head": "t",
            "labels": 0.5,
            "policy": npnet.FineTuning(),
        },
        method,
    ),
    "distillation": lambda: (
        npnet.distillation,
        {"teacher": network(("t",)), "alpha": 0.5, "temperature": 2.0, "head": "t", "policy": npnet.FineTuning()},
        method,
    ),
    "jacobian_matching": lambda: (
        npnet.jacobian_matching,
        {
            "teacher": network(("t",)),
            "of": "largest",
            "beta": 1.0,
            "head": "t",
            "branch": "old",
            "labels": 0.5,
            "policy": npnet.FineTuning(),
        },
        method,
    ),
    "without_forgetting": lambda: (
        npnet.without_forgetting,
        {"weight": 1.0, "temperature": 2.0, "heads": ["old"], "warm_up": 1, "policy": npnet.FineTuning()},
        method,
    ),
    "jacobian": lambda: (
        npnet.jacobian,
        {
            "network": network(),
            "head": "old",
            "X": split().inputs,
            "of": "logit",
            "classes": split().labels,
        },
        nothing,
    ),
    "fisher_information": lambda: (
        npnet.fisher_information,
        {"network": network(), "head": "old", "split": split(), "mode": "sampled", "rng": rng(), "batch_size": 5},
        nothing,
    ),
    "remember": lambda: (
        npnet.remember,
        {
            "network": npnet.remember(network(), "before", network().trunk),
            "name": "again",
            "information": network().trunk,
            "merge": "before",
            "decay": 0.5,
        },
        nothing,
    ),
    "Recipe": lambda: (Recipe, {"penalty": npnet.l2, "at_start": True, "fisher": False}, nothing),
    "starting_point": lambda: (
        npnet.starting_point,
        {
            "name": "l1_sp",
            "alpha": 0.1,
            "beta": 0.1,
            "policy": npnet.FineTuning(),
            "smoothing": 0.1,
            "convention": "paper",
        },
        method,
    ),
    "joint_tasks": lambda: (
        npnet.joint_tasks,
        {"source": task("old"), "task": task(), "rows": np.array([1, 2])},
        nothing,
    ),
    "neighbours_of": lambda: (
        npnet.neighbours_of,
        {"targets": split().inputs, "source": split(20).inputs, "k": 1, "most": 3},
        lambda made: made.rows(),
    ),
    "selective_joint_tuning": lambda: (
        npnet.selective_joint_tuning,
        {
            "run": run(("old", "t")),
            "source": task("old"),
            "task": task(),
            "neighbours": npnet.neighbours_of(split().inputs, split().inputs, 1, 3),
            "hyperparameters": short(),
            "every": 1,
            "step": 1,
        },
        list,
    ),
    "array_module": lambda: (npnet.array_module, {"arrays": np.ones(2)}, nothing),
    "generator": lambda: (npnet.generator, {"seed": 1, "address": "a"}, nothing),
    "to_device": lambda: (npnet.to_device, {"tree": {"a": np.ones(2)}, "xp": np}, nothing),
    "to_host": lambda: (npnet.to_host, {"tree": {"a": np.ones(2)}}, nothing),
    "save_tree": lambda: (npnet.save_tree, {"path": "saved.npz", "tree": {"a": np.ones(2)}}, nothing),
    "load_tree": lambda: (npnet.load_tree, {"path": "missing.npz"}, nothing),
    "check_gradient": lambda: (
        npnet.check_gradient,
        {"f": loss, "arrays": np.ones(3), "tolerance": 1e-6, "seed": 0, "method": "auto", "convention": "between"},
        bool,
    ),
    "check_convex": lambda: (check.check_convex, {"f": loss, "arrays": np.ones(3), "draws": 5, "seed": 0}, bool),
    "check_equal": lambda: (
        check.check_equal,
        {"found": np.ones(3), "wanted": np.ones(3), "terms": 4, "what": "law"},
        bool,
    ),
    "check_frozen": lambda: (check.check_frozen, {"move": lambda: None, "frozen": np.ones(3), "moving": ()}, bool),
    "check_hessian": lambda: (
        check.check_hessian,
        {"f": loss, "arrays": np.ones(3), "product": lambda X, V: V, "directions": 1, "seed": 0, "method": "auto"},
        bool,
    ),
    "check_jacobian": lambda: (
        check.check_jacobian,
        {"f": outputs, "arrays": np.ones(3), "seed": 0, "method": "auto"},
        bool,
    ),
    "check_kinks": lambda: (
        check.check_kinks,
        {"f": loss, "arrays": np.ones(3), "convention": "smallest", "seed": 0, "method": "auto"},
        bool,
    ),
    "check_mean": lambda: (
        check.check_mean,
        {"draw": lambda i: np.ones(3), "mean": np.ones(3), "draws": 20, "deviations": 7.0},
        bool,
    ),
    "check_prox": lambda: (
        check.check_prox,
        {
            "penalty": lambda w: float(w @ w) / 2,
            "prox": lambda w, step: w / (1 + step),
            "w": np.ones(3),
            "step": 0.5,
            "convex": True,
            "tolerance": 0.0,
            "seed": 0,
        },
        bool,
    ),
    "check_resumed": lambda: (
        check.check_resumed,
        {"begin": lambda: [1.0], "go_on": lambda state: iter([1.0]), "save": lambda state: state},
        bool,
    ),
    "Report": lambda: (
        check.Report,
        {"lines": (), "tolerance": None, "complaints": (), "notes": (), "what": "law"},
        str,
    ),
    "Line": lambda: (
        check.Line,
        {
            "parameter": "W",
            "shape": (3,),
            "checked": "all",
            "index": (0,),
            "gradient": 1.0,
            "derivative": 1.0,
            "error": 0.0,
            "allowed": 0.0,
            "wrong": False,
            "method": "",
            "likely": "",
            "kink": None,
            "unseen": False,
        },
        str,
    ),
    "Appearance": lambda: (
        tasks.Appearance,
        {"width": 1.5, "gap": 2.0, "ground": (0.2, 0.3), "contrast": (0.5, 0.6), "amplitude": 0.1, "noise": 0.01},
        lambda made: tasks.draw("ac", 0, 0, 2, made),
    ),
    "Handwriting": lambda: (
        tasks.Handwriting,
        {"bend": 9.0, "jitter": 5.0, "aspect": (0.7, 1.5), "slant": (-9.0, 9.0), "rotation": 9.0, "size": (15.0, 19.0)},
        lambda made: tasks.draw("digits", 0, 0, 2, made),
    ),
    "digit_task": lambda: (
        tasks.digit_task,
        {
            "name": "digits",
            "seed": 0,
            "train": 2,
            "validation": 2,
            "test": 2,
            "appearance": tasks.HANDWRITING,
            "threads": 1,
            "store": "nowhere",
        },
        nothing,
    ),
    "task_from_arrays": lambda: (
        tasks.task_from_arrays,
        {
            "X": np.arange(80.0).reshape(40, 2),
            "y": np.arange(40) % 2,
            "validation": 0.2,
            "test": 8,
            "seed": 0,
            "stratify": True,
            "scale": 2.0,
            "kind": "classes",
            "weights": np.ones(40),
            "name": "t",
        },
        nothing,
    ),
    "ArrayTask": lambda: (
        tasks.ArrayTask,
        {"name": "t", "outputs": 2, "train": split(), "validation": split(), "test": split()},
        lambda made: next(npnet.train(run(), {"t": made})),
    ),
    "read_csv": lambda: (tasks.read_csv, {"path": "missing.csv", "target": 0}, nothing),
    "csv_task": lambda: (tasks.csv_task, {"path": "missing.csv", "target": 0}, nothing),
    "npz_task": lambda: (tasks.npz_task, {"path": "missing.npz"}, nothing),
    "Figure": lambda: (tasks.Figure, {"kind": 0, "least": 0.0, "most": 180.0, "smallest": 0.0}, nothing),
    "Rule": lambda: (
        tasks.Rule,
        {"class_0": tasks.Figure(0), "class_1": tasks.Figure(2), "distractors": 0, "lengths": (13.0, 22.0)},
        nothing,
    ),
    "ImageFiles": lambda: (tasks.ImageFiles, dict.fromkeys(tasks.ImageFiles._fields, np.ones(2)), nothing),
    "Stimuli": lambda: (tasks.Stimuli, dict.fromkeys(tasks.Stimuli._fields, np.ones(2)), nothing),
    "Jittered": lambda: (
        tasks.Jittered,
        {"images": np.ones((3, 9), np.float32), "pixels": 1, "seed": 0},
        lambda made: made[:2],
    ),
    "StimulusSet": lambda: (
        tasks.StimulusSet,
        {"task": "ac", "seed": 0, "indices": np.arange(2, dtype=np.uint64), "appearance": tasks.CALIBRATED},
        lambda made: made[:2],
    ),
    "stimulus_set": lambda: (
        tasks.stimulus_set,
        {"task": "ac", "seed": 0, "start": 0, "stop": 2, "appearance": tasks.CALIBRATED},
        nothing,
    ),
    "draw": lambda: (
        tasks.draw,
        {"task": "ac", "seed": 0, "start": 0, "stop": 2, "appearance": tasks.CALIBRATED, "threads": 1},
        nothing,
    ),
    "draw_at": lambda: (
        tasks.draw_at,
        {
            "task": "ac",
            "seed": 0,
            "indices": np.arange(2, dtype=np.uint64),
            "appearance": tasks.CALIBRATED,
            "threads": 1,
        },
        nothing,
    ),
    "line_task": lambda: (
        tasks.line_task,
        {
            "name": "ac",
            "seed": 0,
            "train": 2,
            "validation": 2,
            "test": 2,
            "appearance": tasks.CALIBRATED,
            "threads": 1,
            "target": "label",
            "store": "nowhere",
        },
        nothing,
    ),
    "line_tasks": lambda: (
        tasks.line_tasks,
        {
            "name": "ac",
            "seed": 0,
            "asked": ("label",),
            "train": 2,
            "validation": 2,
            "test": 2,
            "appearance": tasks.CALIBRATED,
            "threads": 1,
        },
        nothing,
    ),
    "targets": lambda: (tasks.targets, {"truth": tasks.draw("ac", 0, 0, 2).truth, "target": "lengths"}, nothing),
    "patch_order": lambda: (tasks.patch_order, {"side": 4, "size": 2, "channels": 1}, nothing),
    "in_patches": lambda: (tasks.in_patches, {"task": task(), "side": 2, "size": 1, "channels": 1}, nothing),
    "read_idx": lambda: (tasks.read_idx, {"path": "missing"}, nothing),
    "data_folder": lambda: (tasks.data_folder, {}, nothing),
    "load": lambda: (tasks.load, {"name": "mnist", "folder": Path("missing")}, nothing),
    "mnist_task": lambda: (tasks.mnist_task, {"validation": 2, "folder": Path("missing")}, nothing),
    "fashion_task": lambda: (tasks.fashion_task, {"validation": 2, "folder": Path("missing")}, nothing),
    "kmnist_task": lambda: (tasks.kmnist_task, {"validation": 2, "folder": Path("missing")}, nothing),
    "idx_task": lambda: (
        tasks.idx_task,
        {"images": "missing", "labels": "missing", "test": 0.15, "transposed": False},
        nothing,
    ),
    "mnist_halves": lambda: (
        tasks.mnist_halves,
        {"seed": 0, "train": 2, "validation": 2, "test": 2, "folder": Path("missing")},
        nothing,
    ),
}


def case():
    return next(conformance.examples())


def answer(e):
    return e.value, e.gradients


def fitted():
    """Return what `from_sklearn` reads of a fitted perceptron."""
    sizes = itertools.pairwise((4, 3, 2))
    return SimpleNamespace(
        activation="relu", coefs_=[np.ones(size) for size in sizes], intercepts_=[np.ones(3), np.ones(2)]
    )


@cache
def keras_model():
    """Return a model of Keras, where there is one."""
    if not importlib.util.find_spec("keras") or not importlib.util.find_spec("torch"):
        return None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        import keras
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "relu"), keras.layers.Dense(2)])


@cache
def saved():
    """Return a safetensors file with a network, where there is a library that writes one."""
    path = Path(tempfile.mkdtemp()) / "network.safetensors"
    if importlib.util.find_spec("safetensors"):
        exchange.save_safetensors(network(), path)
    return path


TABLE |= {
    "from_torch": lambda: (
        exchange.from_torch,
        {
            "source": {"0.weight": np.ones((3, 4)), "0.bias": np.ones(3), "1.weight": np.ones((2, 3))},
            "head": "t",
            "activation": "tanh",
        },
        lambda made: made.logits(np.ones((2, 4)), "t"),
    ),
    "to_torch": lambda: (exchange.to_torch, {"network": network(), "head": "old"}, nothing),
    "from_keras": lambda: (exchange.from_keras, {"model": keras_model(), "head": "t"}, nothing),
    "from_sklearn": lambda: (exchange.from_sklearn, {"estimator": fitted(), "head": "t"}, nothing),
    "to_onnx": lambda: (exchange.to_onnx, {"network": network(), "path": "network.onnx", "head": "old"}, nothing),
    "save_safetensors": lambda: (
        exchange.save_safetensors,
        {"network": network(), "path": "network.safetensors"},
        nothing,
    ),
    "load_safetensors": lambda: (exchange.load_safetensors, {"path": saved(), "layers": {}}, nothing),
    "chain": lambda: (
        npnet.chain,
        {"layers": npnet.tanh},
        lambda made: made([{}], np.ones((2, 3))),
    ),
    "hessian_vector_product": lambda: (
        check.hessian_vector_product,
        {"f": loss, "arrays": (np.ones(3),), "direction": (np.ones(3),), "seed": 0},
        nothing,
    ),
    "stateful": lambda: (
        check.stateful,
        {"forward": np.tanh, "backward": lambda dY: (dY, []), "get": list, "set": nothing},
        lambda made: made(np.ones(3), [])[1](np.ones(3)),
    ),
    "examples": lambda: (conformance.examples, {"folders": conformance.FOLDERS[0]}, next),
    "Example": lambda: (
        conformance.Example,
        {key: getattr(case(), key) for key in inspect.signature(conformance.Example).parameters},
        lambda made: conformance_run.compare(answer, made),
    ),
    "WeightedPenalty": lambda: (
        conformance.WeightedPenalty,
        {
            "kind": "l2",
            "strength": 1.0,
            "layer": 0,
            "name": "W",
            "anchor": np.ones((4, 3)),
            "scale": np.ones((4, 3)),
            "epsilon": 0.0,
        },
        nothing,
    ),
    "Result": lambda: (
        conformance_run.Result,
        {
            "name": "own",
            "value_units": 0.0,
            "where": "",
            "gap": 0.0,
            "gradient_units": 0.0,
            "verdict": "ok",
            "value": 0.0,
            "gradients": {},
        },
        str,
    ),
    "adapter": lambda: (conformance_run.adapter, {"against": "npnet"}, nothing),
    "compare": lambda: (conformance_run.compare, {"evaluate": answer, "e": case()}, nothing),
    "hold": lambda: (conformance_run.hold, {"against": "npnet"}, nothing),
}

if importlib.util.find_spec("sklearn"):
    import sklearn
    from sklearn_arguments import TABLE as ESTIMATORS

    TABLE |= ESTIMATORS
    ROOTS += (str(Path(sklearn.__file__).parent),)  # what they say of a parameter that they look at is as good


def public():
    """Return every public name that can be called, once."""
    names = set()
    for module in (npnet, *(importlib.import_module(f"npnet.{room}") for room in ROOMS)):
        names |= {name for name in module.__all__ if callable(getattr(module, name))}
    return names


@pytest.mark.parametrize("alias", [None, lambda hint: SimpleNamespace(__value__=hint)], ids=["as it is", "by a name"])
def test_an_annotation_may_have_a_name_of_its_own(alias):
    """`type Name = ...` makes an alias that is not what it stands for; NumPy's NDArray is one from 2.5 on."""

    def total(X, rate=0.1):
        return float(X.sum())

    array, number = (alias or (lambda hint: hint))(NDArray[np.floating]), (alias or (lambda hint: hint))(float)
    total.__annotations__ = {"X": array, "rate": number}
    assert checked(total)(np.ones(3)) == 3.0
    for wrong_kind in ([1.0], 3, None, "x"):
        with pytest.raises(ValueError, match=r"X is .*; expected an array"):
            checked(total)(wrong_kind)
    with pytest.raises(ValueError, match="rate is 'x'; expected a number"):
        checked(total)(np.ones(3), "x")


def test_the_table_has_every_public_function():
    assert public() == INNER | {name for name in TABLE if "MLP" not in name}
    assert not INNER & set(TABLE)


def wrong():
    """Return six kinds of wrong argument."""
    return {
        "None": [None],
        "a string": ["nonsense", ""],
        "an array": [np.ones((2, 3, 4), np.float32), np.ones(0)],
        "a list or a dict": [[1, "a"], {"a": 1}, []],
        "a number": [-1, math.nan, 0],
        "another object": [task(), npnet.SGD(), object()],
    }


@cache
def raises_in(path):
    """Return the lines of a file that a `raise` takes."""
    tree = ast.parse(Path(path).read_text("utf-8"))
    return {
        n for node in ast.walk(tree) if isinstance(node, ast.Raise) for n in range(node.lineno, node.end_lineno + 1)
    }


CASES = [(name, argument) for name, made in TABLE.items() for argument in made()[1]]


def call(f, arguments):
    """Call a function by the names of its arguments; what takes as many as one likes by its place."""
    for name, parameter in inspect.signature(f).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            before = [*inspect.signature(f).parameters][: [*inspect.signature(f).parameters].index(name)]
            rest = {key: value for key, value in arguments.items() if key not in (*before, name)}
            return f(*(arguments[key] for key in before), arguments[name], **rest)
    return f(**arguments)


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.filterwarnings("ignore:max_iter is 2:UserWarning", "ignore:__array__:DeprecationWarning")
def test_the_table_is_of_valid_calls(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    f, arguments, use = TABLE[name]()
    try:
        use(call(f, arguments))
    except (OSError, ImportError) as error:
        # no file, no pooch to fetch it, or no such library to bring weights to
        assert "missing" in str(error) or str(error).startswith("No module named")  # noqa: PT017


def fault(error, argument):
    """Return what is wrong with an exception, "" for one of npnet's own that names the argument."""
    if isinstance(error, OSError | ImportError | npnet.NotFiniteError):
        return ""
    last = traceback.extract_tb(error.__traceback__)[-1]
    if not last.filename.startswith(ROOTS) or last.lineno not in raises_in(last.filename):
        return f"{type(error).__name__} from {Path(last.filename).name}:{last.lineno}: {error}"[:160]
    if not isinstance(error, ValueError | TypeError):
        return f"{type(error).__name__}: {error}"[:160]
    return "" if argument.removesuffix("s") in str(error) else f"no word of {argument}: {error}"[:160]


def nobody_delivers(name, file, place):
    raise ConnectionError(f"{place / file} is missing; a test asks no mirror")


@pytest.mark.parametrize(("name", "argument"), CASES, ids=lambda each: each)
@pytest.mark.filterwarnings("ignore")
def test_a_wrong_argument_is_refused_by_its_name(name, argument, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("npnet.tasks.download._download", nobody_delivers)
    faults = []
    for kind, values in wrong().items():
        for value in values:
            f, arguments, use = TABLE[name]()
            try:
                use(call(f, {**arguments, argument: value}))
            except Exception as error:
                if why := fault(error, argument):
                    faults.append(f"{argument} = {value!r:.40} ({kind}): {why}")
    assert not faults, "\n".join(faults)
