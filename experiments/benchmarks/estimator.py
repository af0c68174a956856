"""npnet's estimators beside scikit-learn's own: the same data and settings, seconds an epoch, and the test errors.

Digits are scikit-learn's (1,797 images of 8 × 8) and a 100-unit network, its default; the other case has the size of
MNIST's images and two layers of 500. Both estimators begin with the same weights and see the same batches, and so their
errors differ by rounding, and by the share of the L2 penalty in a last batch that is smaller.
"""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from experiments.benchmarks.measured import print_missing, print_origin, row, write
from experiments.benchmarks.timing import Contender, in_turn, one_core

__all__ = ["error_of", "fitting", "main", "problems"]

BATCHES, SOLVERS = (20, 200), ("adam", "sgd")
DATA = ("iris", "wine", "breast_cancer", "digits", "diabetes")

Data = tuple[np.ndarray, np.ndarray]


def problems(examples: int = 4_000) -> dict[str, tuple[Data, tuple[int, ...]]]:
    """Return data and hidden layers of each case whose speed is measured."""
    from sklearn.datasets import load_digits

    rng = np.random.default_rng(0)
    images = rng.random((examples, 784), dtype=np.float32), rng.integers(0, 10, examples)
    X, labels = load_digits(return_X_y=True)
    return {
        "64-100-10, float64": ((X / 16, labels), (100,)),
        "64-100-10, float32": (((X / 16).astype(np.float32), labels), (100,)),
        "784-500-500-10, float32": (images, (500, 500)),
    }


def fitting(kind: Callable[..., Any], data: Data, **settings: Any) -> Contender:
    """Return the contender that fits an estimator for so many epochs."""

    def fit(epochs: int) -> Any:
        model = kind(max_iter=epochs, tol=0.0, n_iter_no_change=epochs, random_state=0, **settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged by then
            return model.fit(*data)

    return fit


def error_of(kinds: Mapping[str, Callable[..., Any]], data: Data, seed: int) -> dict[str, float]:
    """Return the test errors of estimators on one split of a data set: percent misclassified, or 100 (1 − R²)."""
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classes = data[1] if data[1].dtype.kind == "i" else None
    X, X_test, y, y_test = train_test_split(*data, test_size=0.4, random_state=seed, stratify=classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = {
            name: make_pipeline(StandardScaler(), kind(random_state=seed, max_iter=100, learning_rate_init=0.01))
            for name, kind in kinds.items()
        }
        return {name: 100 * (1 - model.fit(X, y).score(X_test, y_test)) for name, model in models.items()}


def main(json: Path | str | None = None, examples: int = 4_000, rounds: int = 5, seeds: int = 5) -> None:
    """Measure speed and errors, print the tables, and write the measurements where a path is given."""
    core, console = one_core(), Console(width=120)
    if not print_missing({"sklearn": "scikit-learn"}, console):
        return
    from sklearn.neural_network import MLPClassifier as Theirs

    from npnet.sklearn import MLPClassifier as Ours

    table = Table(title=f"milliseconds an epoch on {core}")
    for column in ("network", "solver", "batch", "npnet", "scikit-learn", "times as fast"):
        table.add_column(column, justify="left" if column in ("network", "solver") else "right")
    rows = []
    for name, (data, hidden) in problems(examples).items():
        for solver in SOLVERS:
            for batch in BATCHES:
                settings = {"hidden_layer_sizes": hidden, "solver": solver, "batch_size": batch}
                contenders = {"npnet": fitting(Ours, data, **settings), "sklearn": fitting(Theirs, data, **settings)}
                seconds = in_turn(contenders, 10 if data[0].shape[1] < 100 else 2, rounds)
                measured = row({"network": name, "solver": solver, "batch": batch}, seconds, "npnet")
                rows.append(measured)
                times = [f"{median(seconds[each]) * 1e3:.1f}" for each in contenders]
                table.add_row(name, solver, str(batch), *times, f"{measured['ratios']['sklearn']:.2f}")
    console.print(table)
    errors = _errors(seeds)
    table = Table(title=f"test errors, mean of {seeds} splits: % misclassified, of diabetes 100 (1 − R²)")
    for column in ("data", "npnet", "scikit-learn", "largest difference"):
        table.add_column(column, justify="left" if column == "data" else "right")
    for name, found in errors.items():
        difference = max(abs(a - b) for a, b in zip(*found.values(), strict=True))
        table.add_row(name, *(f"{mean(each):.2f}" for each in found.values()), f"{difference:.2g}")
    console.print(table)
    print_origin(console, ["sklearn"])
    write(json, "estimator", rows, ["sklearn"], core=core, errors=errors)


def _errors(seeds: int) -> dict[str, dict[str, list[float]]]:
    """Return the test errors of both estimators on five bundled data sets, for each split."""
    from sklearn import datasets, neural_network

    from npnet.sklearn import MLPClassifier, MLPRegressor

    classifiers = {"npnet": MLPClassifier, "sklearn": neural_network.MLPClassifier}
    regressors = {"npnet": MLPRegressor, "sklearn": neural_network.MLPRegressor}
    found: dict[str, dict[str, list[float]]] = {}
    for name in DATA:
        data = getattr(datasets, f"load_{name}")(return_X_y=True)
        each = [error_of(regressors if name == "diabetes" else classifiers, data, seed) for seed in range(seeds)]
        found[name] = {kind: [errors[kind] for errors in each] for kind in classifiers}
    return found
