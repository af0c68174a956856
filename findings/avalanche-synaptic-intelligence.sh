#!/usr/bin/env bash
# Avalanche 0.6.0: on the CPU, synaptic intelligence finds no weight important and never changes the training.
#
# A good guess: after the first task some weights are important, and the larger si_lambda, the less they move after it.
# What happens: all importances are zero and the anchor moves along with the weights. Training with si_lambda = 100000
# gives the same bits as plain fine-tuning. There is no error and no warning.
# Where: avalanche/training/plugins/synaptic_intelligence.py, extract_weights: what it stores is
# detach().cpu().flatten(), which on the CPU is a view of the weights and not a copy. The weights before a step, those
# after it and the anchor of the task are then one array. A weight that flatten has to copy, such as one stored by
# columns, has importances. So should one on a GPU, where cpu() copies; that was not run here.
# Why it matters: a baseline that does nothing looks like a method that does not help.
# The reference is the bits of plain fine-tuning, and the same network with its weight stored by columns.
# Avalanche imports packages for images, reports and plots at its start. Nothing here calls them, so stand-ins of a few
# lines take their place and save most of the download.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "torch==2.13.0" "numpy==2.4.6" "tqdm==4.70.1" "dill==0.4.1" "psutil==7.2.2" \
  "pillow==13.0.0" "packaging==26.4"
"$folder/bin/pip" install -q --no-deps "avalanche-lib==0.6.0"
"$folder/bin/python" -I -W ignore - <<'PYTHON'
import importlib.abc
import importlib.machinery
import sys
import types

ABSENT = ("torchvision", "pytorchcv", "torchmetrics", "wandb", "tensorboard", "torch.utils.tensorboard", "gdown",
          "qpsolvers", "matplotlib", "sklearn", "GPUtil")


class StandIn(types.ModuleType):
    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__init__": lambda self, *args, **options: None})


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if any(name == absent or name.startswith(absent + ".") for absent in ABSENT):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return StandIn(spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, Finder())

import numpy as np
import torch
from avalanche.benchmarks import benchmark_from_datasets
from avalanche.benchmarks.utils import _make_taskaware_tensor_classification_dataset as dataset
from avalanche.training.supervised import Naive, SynapticIntelligence

torch.use_deterministic_algorithms(True)
generator = torch.Generator().manual_seed(0)
X = torch.randn(64, 4, generator=generator)
labels = ((X[:, 0] > 0).long(), (X[:, 1] + X[:, 2] > 0).long())
tasks = benchmark_from_datasets(train=[dataset(X, t, task_labels=0) for t in labels]).train_stream


def train(method, by_columns=False, **options):
    """Train both tasks; return the importances after the first one and the weights after the second."""
    torch.manual_seed(1)
    layer = torch.nn.Linear(4, 2, bias=False)
    if by_columns:
        layer.weight = torch.nn.Parameter(layer.weight.detach().T.contiguous().T)
    strategy = method(model=layer, optimizer=torch.optim.SGD(layer.parameters(), lr=0.1), evaluator=None,
                      criterion=torch.nn.CrossEntropyLoss(), train_mb_size=16, train_epochs=5, **options)
    strategy.train(tasks[0])
    found = [plugin.ewc_data[1]["weight"].data for plugin in strategy.plugins if hasattr(plugin, "ewc_data")]
    strategy.train(tasks[1])
    return np.array(found), layer.weight.detach().numpy().copy()


_, plain = train(Naive)
importances, weights = train(SynapticIntelligence, si_lambda=1e5)
print("importances", importances.ravel(), "\nweights     ", weights.ravel(), "\nfine-tuning ", plain.ravel())
assert importances.size == plain.size and not importances.any(), "there are importances now"
assert np.array_equal(weights, plain), "the penalty now has an effect"

importances, weights = train(SynapticIntelligence, by_columns=True, si_lambda=1e3)
_, plain = train(Naive, by_columns=True)
print("stored by columns: importances", importances.ravel())
print("weights     ", weights.ravel(), "\nfine-tuning ", plain.ravel())
assert (importances > 0).any() and not np.allclose(weights, plain), "the control changed"
PYTHON
