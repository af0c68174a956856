"""How an estimator is fitted: from its parameters to a training job, and through the job's epochs to the end.

A fit without a validation set is stopped by its training loss. A job must have one all the same: the policy sees the
training examples then, and one example where the policy does not look.
"""

import warnings
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from npnet.arrays import shown
from npnet.data import Split, Task
from npnet.error import mean_loss_along
from npnet.methods import begin
from npnet.network import Network
from npnet.perceptron import mlp
from npnet.policies import FineTuning, summary, trains, waits
from npnet.run import Record, Run, TrainingJob
from npnet.sklearn.examples import taken
from npnet.sklearn.lbfgs import minimise
from npnet.sklearn.settings import activation_of, hyperparameters, initialiser, method_of, policy_of
from npnet.sklearn.stopping import Stopping
from npnet.training import train

__all__ = ["given", "job_of", "start", "take_epochs", "take_lbfgs"]


def given(e: Any) -> tuple[Network, dict[str, Any]] | None:
    """Return the network of an estimator's `warm_start_from` and its tasks, None where there is none.

    Raises ValueError for what is no network, NotFittedError for an estimator without one.
    """
    source = e.warm_start_from
    if source is None:
        return None
    if isinstance(source, Network):
        return source, {head: e._unknown_target(len(p["b"])) for head, p in source.heads.items()}
    if isinstance(getattr(source, "network_", None), Network):
        return source.network_, source.tasks_
    if hasattr(source, "fit"):
        raise NotFittedError(
            f"warm_start_from is {shown(source)}, which is not fitted, and clones of an estimator never are; expected "
            "a fitted one: sklearn.frozen.FrozenEstimator(it) stays so in clones"
        )
    raise ValueError(f"warm_start_from is {shown(source)}; expected an npnet.Network or a fitted estimator")


def start(e: Any, examples: Split, rng: np.random.Generator) -> Network:
    """Return the network that a fit begins with, its own arrays: a new one, or the given one's.

    Raises ValueError where a given network does not fit the examples.
    """
    source, inputs, outputs = given(e), examples.inputs.shape[1], e.tasks_[e.task].outputs
    if source is None:
        if e.method is not None:
            raise ValueError(f"method is {e.method!r}; expected a network to transfer from: warm_start_from=...")
        hidden = [e.hidden_layer_sizes] if np.ndim(e.hidden_layer_sizes) == 0 else list(e.hidden_layer_sizes)
        if not all(isinstance(n, int | np.integer) and n > 0 for n in hidden):
            raise ValueError(f"hidden_layer_sizes is {shown(e.hidden_layer_sizes)}; expected whole numbers from 1")
        activation, draw, dtype = activation_of(e.activation), initialiser(e.activation), examples.inputs.dtype  # type: ignore[attr-defined]
        return mlp((inputs, *hidden), {e.task: outputs}, rng, draw, activation, e.dropout, dtype)
    network = replace(source[0].copy(), dropout=e.dropout)
    if network.inputs != inputs:
        raise ValueError(f"X has {inputs} features; expected {network.inputs}, those of the network in warm_start_from")
    if e.method is not None:
        return network
    if e.task not in network.heads and len(network.heads) == 1:
        network = replace(network, heads={e.task: next(iter(network.heads.values()))})
    found = network.head(e.task)["b"].shape[-1]
    if found != outputs:
        raise ValueError(f"y needs {outputs} outputs, and the network of warm_start_from has {found}: give a method=")
    return network


def job_of(
    e: Any,
    examples: Split,
    network: Network,
    rng: np.random.Generator,
    validation: Split | None,
    old: tuple[str, Split] | None,
) -> TrainingJob:
    """Return the training job of a fit."""
    method = None if e.method is None else method_of(e.method)
    policy = policy_of(e.policy) if method is None or e.policy is not None else method.policy
    if validation is None:
        validation = taken(examples, np.arange(1)) if policy == FineTuning() else examples
    target = e.tasks_[e.task]
    task = Task(e.task, target.outputs, examples, validation, validation)
    settings = hyperparameters(e, examples, target.loss)
    if method is None:
        run, settings = Run(network, rng), replace(settings, policy=policy)
    else:
        run, settings = begin(replace(method, policy=policy), network, task, rng, settings, initialiser(e.activation))
    return TrainingJob(run, {e.task: task}, settings, {} if old is None else {"old": old})


def take_epochs(e: Any, job: TrainingJob, validation: Split | None, epochs: int | None = None) -> None:
    """Take a job through its epochs to the end of a fit, or so many, writing `network_` and `history_` after each.

    Warns where max_iter ended it. Ctrl-C ends it too, after the last whole epoch.
    """
    run, settings = job.run, job.settings
    stopping, stopped = Stopping(e.tol, e.n_iter_no_change, settings.rate), False
    e.network_ = run.network
    try:
        for record in islice(train(run, job.tasks, settings, job.evaluations), epochs):
            e.network_ = run.network
            e.history_.append(entry := _entry(e, run, record, validation))
            if e.verbose:
                print(", ".join(f"{name} {value:.6g}" for name, value in entry.items() if name != "mask"))
            joining = waits(settings.policy) and not all(map(trains, run.mask or ()))
            joined = summary(run.mask or ()) != record["mask"]
            falls = entry["loss"] if validation is None else -entry["validation_score"]
            asked = [callback(e, entry) for callback in e.callbacks]  # each of them, whatever the others answer
            stopped = (stopping.stops(falls) and not (joining or joined)) or any(asked)
            if joined:
                stopping.waited = 0  # a layer that has just joined has the whole patience before it
            if stopped:
                break
    except KeyboardInterrupt:
        warnings.warn("the fit was interrupted: the network is that of the last whole epoch", stacklevel=3)
    if validation is not None and run.best:
        e.network_ = replace(run.network, **run.best["network"])
    if not stopped and run.finished and len(run.history) >= settings.max_epochs:
        warnings.warn(
            f"max_iter is {e.max_iter}, and the fit had not converged by then; expected more epochs, or a larger tol",
            ConvergenceWarning,
            stacklevel=3,
        )


def _entry(e: Any, run: Run, record: Record, validation: Split | None) -> Record:
    """Return what `history_` says of an epoch."""
    entry = {"epoch": record["epoch"], "rate": record["rate"], "loss": record["objective"], "mask": record["mask"]}
    if validation is not None:
        target, error, path = e.tasks_[e.task], record["error"], run.network.path(e.task)
        entry |= {"validation_loss": mean_loss_along(path, validation, run.network.dtype, target.loss)}
        entry |= {"validation_error": error, "validation_score": target.score(validation, error)}
    return entry | {f"{name}_error": error for name, error in record["evaluations"].items()}


def take_lbfgs(e: Any, job: TrainingJob) -> None:
    """Fit by L-BFGS; warns where it did not converge."""
    e.network_ = job.run.network
    result = minimise(job, e.task, e.tol, e.max_iter, e.max_fun)
    e.history_.append({"epoch": int(result.nit), "loss": float(result.fun)})
    if not result.success:
        warnings.warn(f"lbfgs did not converge: {result.message}", ConvergenceWarning, stacklevel=3)
