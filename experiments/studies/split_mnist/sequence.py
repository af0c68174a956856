"""A run: the tasks one after another by one method in one scenario, with all accuracies after each of them."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any

import numpy as np

from experiments.frame.jobs import Result
from experiments.frame.provenance import environment
from experiments.frame.workspace import Workspace
from experiments.studies.split_mnist.design import CLASS, METHODS, TASK, Approach, Protocol, Scenario, pairs
from npnet import (
    GradualTuning,
    Hyperparameters,
    Match,
    Method,
    Network,
    PathIntegral,
    Regularizer,
    Run,
    Split,
    Task,
    active_outputs,
    begin,
    cross_entropy,
    error,
    fisher_information,
    generator,
    l2,
    mlp,
    path_importance,
    plain_loss,
    remember,
    soft_cross_entropy,
    starting_point,
    train,
    uniform_fan_in,
    without_forgetting,
)
from npnet.data import part
from npnet.hyperparameters import shuffled
from npnet.losses import softmax
from npnet.matching.objective import add_terms
from npnet.matching.targets import cached_targets
from npnet.methods.method import with_head
from npnet.orders import Batches
from npnet.trees import copy_tree

__all__ = ["learn_sequence"]

_T = 2.0  # the temperature of Learning without Forgetting
_HELD = 1_000  # training images of a task on which Gradual Tuning looks at its error


def learn_sequence(workspace: Workspace, protocol: Protocol, scenario: Scenario, method: str, seed: int) -> Result:
    """Learn all tasks and return the accuracy on each after each, from the last checkpoint where there is one."""
    approach, saved = METHODS[method], workspace.resume() or {}
    before, start = saved.get("seconds", 0.0), monotonic()
    rows: list[list[Any]] = saved.get("rows", [])
    first = head_of(scenario, 0)
    if saved:
        network, buffers = Network.from_tree(saved["network"]), saved["buffers"]
    else:
        inputs, outputs = pairs(protocol)[0][0].inputs.shape[-1], 10 if scenario == CLASS else 2
        network = mlp((inputs, *protocol.hidden), {first: outputs}, generator(seed, "network"), uniform_fan_in)
        buffers = {}
    for t in range(saved.get("task", 0), protocol.tasks):
        last = approach.joint or t == protocol.tasks - 1
        run = learn_task(protocol, approach, scenario, network, buffers, t, seed)
        buffers = {place: each for place, each in run.buffers.items() if not place.startswith("path integral")}
        network = run.network if last else consolidated(protocol, approach, scenario, network, run, t)
        seen = range(protocol.tasks if approach.joint else t + 1)
        rows += [[f"accuracy on {k} after {seen[-1]}", 100 - tested(protocol, scenario, network, k)] for k in seen]
        if last:
            break
        tree = {"task": t + 1, "network": network.tree(), "buffers": buffers, "rows": rows}
        seconds = before + monotonic() - start
        workspace.checkpoint(lambda tree=tree, seconds=seconds: {**tree, "seconds": seconds})  # type: ignore[misc]
        workspace.stop_if_asked()
    ends = [accuracy for name, accuracy in rows if name.endswith(f"after {protocol.tasks - 1}")]
    weights = [len(test) for _, test in pairs(protocol)] if approach.joint else None  # theirs is over all images there
    rows.append(["accuracy", float(np.average(ends, weights=weights))])
    return {
        "measurements": [[scenario, method, seed, name, value] for name, value in rows],
        "seconds": before + monotonic() - start,
        "environment": environment(),
    }


def head_of(scenario: Scenario, t: int) -> str:
    """Return the head of a task."""
    return f"task {t + 1}" if scenario == TASK else "digits"


def labelled(scenario: Scenario, split: Split, t: int) -> Split:
    """Return a split with its labels as the scenario has them."""
    return split if scenario == CLASS else replace(split, labels=split.labels - 2 * t)


def together(splits: list[Split]) -> Split:
    """Return several splits as one."""
    return Split(np.concatenate([s.inputs[:] for s in splits]), np.concatenate([s.labels for s in splits]))


def task_of(scenario: Scenario, name: str, learned: Split, validation: Split | None = None) -> Task:
    """Return a task; without a validation set its first images stand there, and nothing looks at the error on them."""
    looked = validation or part(learned, slice(1))
    return Task(name, 10 if scenario == CLASS else 2, learned, looked, looked)


def tasks_of(protocol: Protocol, approach: Approach, scenario: Scenario, t: int, seed: int) -> dict[str, Task]:
    """Return what is trained on when task t comes, the new task's head first."""
    of = [labelled(scenario, learned, k) for k, (learned, _) in enumerate(pairs(protocol))]
    old: dict[int, Split] = {}
    if approach.joint:
        t, old = 0, dict(enumerate(of[1:], 1))
    elif approach.memory and t:
        times = max(1, len(of[t]) // approach.memory)  # as many old images as new ones
        for k in range(t):
            kept = generator(seed, "memory", k).permutation(len(of[k]))[: approach.memory // t]
            old[k] = part(of[k], np.tile(kept, times))
    name = head_of(scenario, t)
    if approach.gradual and t:
        held = min(_HELD, len(of[t]) // 4)
        rows = generator(seed, "held", t).permutation(len(of[t]))
        return {name: task_of(scenario, name, part(of[t], rows[held:]), part(of[t], rows[:held]))}
    if scenario != TASK:
        return {name: task_of(scenario, name, together([of[t], *old.values()]) if old else of[t])}
    heads = {name: of[t], **{head_of(scenario, k): split for k, split in old.items()}}
    return {head: task_of(scenario, head, split) for head, split in heads.items()}


def learn_task(
    protocol: Protocol,
    approach: Approach,
    scenario: Scenario,
    network: Network,
    buffers: Mapping[str, Any],
    t: int,
    seed: int,
) -> Run:
    """Return the run in which a copy of the network learned task t."""
    tasks = tasks_of(protocol, approach, scenario, t, seed)
    head, outputs = head_of(scenario, t), 2 * (protocol.tasks if approach.joint else t + 1)
    settings = Hyperparameters(
        protocol.batch_size,
        approach.rate,
        approach.optimizer,
        partial(active_outputs, outputs=outputs) if scenario == CLASS else cross_entropy,
        patience=None,
        max_epochs=protocol.epochs if protocol.batches is None else 1,
        keep="last",
        order=shuffled if protocol.batches is None else Batches(protocol.batches, protocol.batch_size),
        objective=PathIntegral() if approach.penalty == "si" else plain_loss,
    )
    method = Method("next", surgery=with_head)
    if t and approach.penalty in ("ewc", "online ewc", "si"):  # c Σ Ω Δ² is (α/2) Σ Ω Δ²
        method += starting_point("l2_sp_fisher", alpha=2 * approach.strengths[scenario], convention="ewc")
    if t and approach.recall:
        method += recall(scenario, head, t, outputs)
    if t and approach.gradual:
        method += Method("gradual", policy=GradualTuning())
    rng = generator(seed, "task", t)
    run, settings = begin(method, network, tasks[head], rng, settings, uniform_fan_in)
    for name in tasks:
        if name not in run.network.heads:
            run.network = run.network.add_head(name, 2, rng, uniform_fan_in)
    if t and approach.penalty == "l2":
        start = copy_tree([*run.network.trunk, run.network.head(head)])
        pull = Regularizer(l2, 2 * approach.strengths[scenario], "all", biases=True, anchors=start)
        settings = replace(settings, regularizers=(pull,))
    run.buffers = copy_tree(dict(buffers))
    for _ in train(run, tasks, settings):
        pass
    return run


def recall(scenario: Scenario, head: str, t: int, outputs: int) -> Method:
    """Return Learning without Forgetting as van de Ven and Tolias weigh it: (1/n) CE + (1 − 1/n) T² times the mean of
    the old tasks' cross-entropies, at the n-th task. Adam does not see a common factor: λ = T² for each old head.
    """
    if scenario == TASK:
        return without_forgetting(_T**2, _T)
    if scenario != CLASS:
        return without_forgetting(_T**2 * t, _T, heads=[head])

    def with_old_classes(network: Network, task: Task, settings: Hyperparameters) -> Hyperparameters:
        def softened(X: np.ndarray, labels: np.ndarray) -> np.ndarray:
            P = softmax(network.logits(X, head)[:, : outputs - 2] / np.float32(_T))
            return np.pad(P, ((0, 0), (0, 2)))  # of the two new classes the old network says nothing

        loss = partial(active_outputs, outputs=outputs, loss=partial(soft_cross_entropy, temperature=_T))
        targets = cached_targets(softened, task.train, network)
        return add_terms(settings, task, [Match("recall", head, head, loss, targets, _T**2 * t)])

    return Method("recall", objective=with_old_classes)


def consolidated(
    protocol: Protocol, approach: Approach, scenario: Scenario, before: Network, run: Run, t: int
) -> Network:
    """Return the network after task t with a memory of it, where the method keeps one."""
    network, head = run.network, head_of(scenario, t)
    shared = None if scenario == TASK else head  # a head that trains again
    if approach.penalty not in ("ewc", "online ewc", "si"):
        return network
    if approach.penalty == "si":
        importance = path_importance(run, before, xi=0.1, head=shared)
    else:
        importance = information(network, head, labelled(scenario, pairs(protocol)[t][0], t), shared is not None)
    merge = f"task {t}" if t and approach.penalty != "ewc" else None
    return remember(network, f"task {t + 1}", importance, merge=merge, head=shared)


def information(network: Network, head: str, learned: Split, with_head: bool) -> list[Any]:
    """Return the Fisher information for the likeliest class of each image, among the classes that there were so far."""
    active = max(2, int(learned.labels.max()) + 1)
    outputs = network.head(head)["b"].size
    seen = {key: np.ascontiguousarray(w[..., :active]) for key, w in network.head(head).items()}
    view = replace(network, heads={head: seen}, memories={})
    found = fisher_information(view, head, learned, "argmax", with_head=with_head)
    if with_head:
        found[-1] = {key: np.pad(F, [(0, 0)] * (F.ndim - 1) + [(0, outputs - active)]) for key, F in found[-1].items()}
    return found


def tested(protocol: Protocol, scenario: Scenario, network: Network, k: int) -> float:
    """Return the test error on task k in percent."""
    return error(network, head_of(scenario, k), labelled(scenario, pairs(protocol)[k][1], k))
