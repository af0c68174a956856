"""Runs: several tasks, going on, interrupts at any line, what moves in place, numbers at the edge of a precision."""

import sys
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import npnet
from npnet.training import epochs_without_minimum

HOME = str(Path(npnet.__file__).parent)


def blobs(name="t", classes=3, per_class=4, dtype=np.float32, scale=1.0, seed=0):
    rng = npnet.generator(seed, name, "blobs")
    labels = np.arange(3 * classes * per_class) % classes
    X = 2 * rng.standard_normal((classes, 5))[labels] + rng.standard_normal((len(labels), 5))
    X = (scale * X).astype(dtype)
    third = len(labels) // 3
    return npnet.Task(name, classes, *(npnet.Split(X[i::3][:third], labels[i::3][:third]) for i in range(3)))


def fresh(heads=("t",), seed=0, widths=(5, 4, 3), **options):
    network = npnet.mlp(widths, dict.fromkeys(heads, 3), npnet.generator(seed, "network"), **options)
    return npnet.Run(network, npnet.generator(seed, "run"))


def same(one, other):
    """Report whether two runs stand at the same bits."""
    ones, others = (dict(npnet.trees.leaves(each.tree())) for each in (one, other))
    return ones.keys() == others.keys() and all(np.array_equal(ones[key], others[key]) for key in ones)


# Several tasks -----------------------------------------------------------------------------------------------


def history(*curves):
    names = "abc"[: len(curves)]
    return [
        {"validation": dict(zip(names, errors, strict=True)), "error": sum(errors) / len(errors), "mask": [1.0]}
        for errors in zip(*curves, strict=True)
    ]


@pytest.mark.parametrize(
    ("curves", "waited"),
    [
        (([5, 4, 3, 3, 3],), 2),
        (([5, 0, 0, 0],), 2),  # alone at zero nothing is left to wait for: the first minimum counts, as ever
        (([0, 3, 0, 3],), 3),
        (([0, 0, 0, 0], [5, 4, 3, 2]), 0),
        (([0, 0, 0, 0], [5, 4, 4, 4]), 2),
        (([9, 0, 0, 0], [5, 4, 3, 2]), 0),
        (([0, 0, 0, 0], [5, 0, 0, 0]), 2),  # all at zero: since they came together there
        (([0, 2, 0, 0], [0, 3, 2, 0]), 3),
        (([0, 0, 0, 1, 1], [5, 4, 3, 2, 1]), 2),  # no longer at zero: it waits since it was there last
        (([0, 0, 0, 0], [4, 4, 4, 4], [9, 8, 7, 6]), 3),
    ],
)
def test_the_count_of_epochs_without_a_minimum_where_tasks_are_at_zero(curves, waited):
    assert epochs_without_minimum(history(*curves), restarts=False) == waited


def an_easy_and_a_hard_task():
    X = npnet.generator(0, "x").standard_normal((600, 10)).astype(np.float32)
    labels = {"easy": np.zeros(600, int), "hard": (X[:, 0] * X[:, 1] > 0).astype(int)}
    parts = (slice(300), slice(300, 450), slice(450, 600))
    return {name: npnet.Task(name, 2, *(npnet.Split(X[s], y[s]) for s in parts)) for name, y in labels.items()}


@pytest.mark.parametrize("population", [False, True])
def test_a_task_at_zero_does_not_end_the_run_with_the_first_weights(population):
    tasks, settings = an_easy_and_a_hard_task(), npnet.Hyperparameters(rate=npnet.constant(0.1), max_epochs=60)
    run = npnet.Run(npnet.mlp((10, 40), dict.fromkeys(tasks, 2), npnet.generator(0, "n")), npnet.generator(0, "r"))
    if population:
        list(npnet.train_population([npnet.TrainingJob(run, tasks, settings)]))
    else:
        list(npnet.train(run, tasks, settings))
    first, hard = run.history[0]["validation"], [record["validation"]["hard"] for record in run.history]
    assert first["easy"] == 0
    assert len(run.history) > 21
    assert run.best["epoch"] == 1 + hard.index(min(hard)) > 1
    assert npnet.error(run.network, "hard", tasks["hard"].validation) == min(hard) < first["hard"]


def test_a_task_that_is_solved_stops_by_its_patience_with_its_first_minimum():
    tasks = {"easy": an_easy_and_a_hard_task()["easy"]}
    run = npnet.Run(npnet.mlp((10, 4), {"easy": 2}, npnet.generator(0)), npnet.generator(0))
    records = list(npnet.train(run, tasks, npnet.Hyperparameters(patience=3, max_epochs=60)))
    assert len(records) == 4 + [record["error"] for record in records].index(0)
    assert run.best["epoch"] == 1 + [record["error"] for record in records].index(0)


# Interrupts --------------------------------------------------------------------------------------------------


class At:
    """Trace the lines of npnet and interrupt at the k-th time that one of them is reached."""

    def __init__(self, place=None, times=1):
        self.place, self.left, self.seen = place, times, Counter()

    def __call__(self, frame, event, arg):
        if not frame.f_code.co_filename.startswith(HOME):
            return None
        if event == "line":
            place = frame.f_code.co_filename, frame.f_lineno
            self.seen[place] += 1
            if place == self.place and self.left:
                self.left -= 1
                if not self.left:
                    raise KeyboardInterrupt
        return self

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)


def plain():
    settings = npnet.Hyperparameters(max_epochs=2, batch_size=6, rate=npnet.constant(0.1))
    return {"t": blobs()}, settings, {}


def everything():
    """Two tasks, dropout, momentum, penalties, max-norm, layers that join, evaluations."""
    tasks = {name: blobs(name) for name in ("t", "u")}
    settings = npnet.Hyperparameters(
        max_epochs=3,
        batch_size=8,
        rate=npnet.step(0.1, 2),
        optimizer=npnet.Momentum(0.5),
        regularizers=(npnet.Regularizer(npnet.l2, 0.01), npnet.Regularizer(npnet.l1, 0.001)),
        max_norm=1.0,
        policy=npnet.GradualByEpoch(1),
        patience=2,
    )
    return tasks, settings, {"test": ("t", tasks["t"].test)}


def begun(situation, dropout=0.0):
    tasks, settings, evaluations = situation()
    return fresh(tasks, dropout=dropout), tasks, settings, evaluations


def ended(situation):
    run, *rest = begun(situation)
    list(npnet.train(run, *rest))
    return run


@pytest.mark.parametrize("situation", [plain, everything])
def test_an_interrupt_at_any_line_leaves_a_run_that_goes_on_to_the_same_bits(situation):
    """At the first or the last time that each line of npnet is reached, from the first epoch to the end.

    A line that is reached once in a process, for its result is kept, interrupts nothing.
    """
    reference = ended(situation)
    run, *rest = begun(situation)
    with At() as lines:
        list(npnet.train(run, *rest))
    assert len(lines.seen) > 150
    for place, times in lines.seen.items():
        for k in {1 if situation is plain else times}:
            run, *rest = begun(situation)
            with suppress(KeyboardInterrupt), At(place, k):
                list(npnet.train(run, *rest))
            list(npnet.train(run, *rest))
            assert same(run, reference), f"interrupted at {place}, time {k}"


def test_a_second_interrupt_while_the_first_is_undone():
    """The restoring itself is interrupted, at each of its lines."""
    reference = ended(plain)
    step = next(place for place in _lines(plain) if place[0].endswith("step.py"))
    undoing = [place for place in _lines(plain, step) if place[0].endswith("undo.py")]
    assert undoing
    for place in undoing:
        run, *rest = begun(plain)
        with suppress(KeyboardInterrupt), Twice(step, 5, place):
            list(npnet.train(run, *rest))
        list(npnet.train(run, *rest))
        assert same(run, reference), f"interrupted at {place}"


class Twice(At):
    """Interrupt at a line, and after that at another one."""

    def __init__(self, place, times, then):
        super().__init__(place, times)
        self.then = then

    def __call__(self, frame, event, arg):
        waiting = self.left > 0
        traced = super().__call__(frame, event, arg)
        if not waiting and event == "line" and (frame.f_code.co_filename, frame.f_lineno) == self.then:
            self.then = None
            raise KeyboardInterrupt
        return traced


def _lines(situation, interrupted=None):
    run, *rest = begun(situation)
    try:
        with At(interrupted, 5 if interrupted else 1) as lines:
            list(npnet.train(run, *rest))
    except KeyboardInterrupt:
        pass
    return lines.seen


def population():
    tasks, settings, evaluations = plain()
    return [npnet.TrainingJob(fresh(tasks, seed), tasks, settings, evaluations) for seed in range(2)]


def test_an_interrupt_at_any_line_of_a_population():
    reference = population()
    with At() as lines:
        list(npnet.train_population(reference))
    for place, times in lines.seen.items():
        for k in {times}:
            jobs = population()
            with suppress(KeyboardInterrupt), At(place, k):
                list(npnet.train_population(jobs))
            list(npnet.train_population(jobs))
            for one, other in zip(jobs, reference, strict=True):
                assert same(one.run, other.run), f"interrupted at {place}, time {k}"


def test_threads_of_blas_are_put_back_after_an_interrupt_on_the_way_in():
    from npnet import blas

    get = blas._function("openblas_get_num_threads")[0]
    if get is None:
        pytest.skip("numpy brings no OpenBLAS of its own here")
    before = get()
    with At() as lines, blas.threads(1):
        pass
    for place in lines.seen:
        if place[1] < max(line for _, line in lines.seen) - 4:  # on the way in
            with pytest.raises(KeyboardInterrupt), At(place), blas.threads(1):
                pass
            assert not list(blas._inside)
            assert get() == before


# Numbers ----------------------------------------------------------------------------------------------------------


def test_underflow_is_no_error_for_whoever_has_numpy_raise():
    """Tiny inputs, tiny weights, certain outputs, frozen layers kept or not, alone and in a population."""
    for scale, dtype in ((1e-30, np.float32), (50, np.float32), (1e-200, np.float64)):
        task = blobs(scale=scale, dtype=dtype)
        for activation in ("relu", "tanh", "sigmoid"):
            for optimizer in (npnet.SGD(), npnet.Momentum(), npnet.Adam()):
                for policy in (npnet.FineTuning(), npnet.HeadOnly()):
                    run = fresh(activation=activation, dtype=dtype)
                    run.network.trunk[0]["W"] *= dtype(1e-9)
                    settings = npnet.Hyperparameters(max_epochs=2, optimizer=optimizer, policy=policy)
                    with np.errstate(all="raise"):
                        assert len(list(npnet.train(run, {"t": task}, settings))) == 2
                        npnet.error(run.network, "t", task.test)
                        run.network.logits(task.test.inputs, "t")
                        job = npnet.TrainingJob(fresh(activation=activation, dtype=dtype), {"t": task}, settings)
                        assert len(list(npnet.train_population([job]))) == 2


def test_adam_in_half_precision_divides_in_single():
    run, settings = fresh(dtype=np.float16), npnet.Hyperparameters(max_epochs=20, optimizer=npnet.Adam())
    records = list(npnet.train(run, {"t": blobs()}, settings))
    assert records[-1]["objective"] < records[0]["objective"]
    assert {w.dtype for p in run.network.trunk for w in p.values()} == {np.dtype(np.float16)}
    w, adam = np.array([1.0, 1.0, 1.0], np.float16), npnet.Adam()
    adam.update(w, np.array([0, 1e-7, 300], np.float16), buffers := adam.start(w), 0.125)
    assert buffers["v"].dtype == np.float32
    np.testing.assert_allclose(w, [1, 0.884, 0.875], atol=0.01)  # a slope of 0 moves nothing, all others by the rate


def test_numpys_scalars_in_settings_are_plain_numbers(tmp_path):
    def settings(number, whole):
        return npnet.Hyperparameters(
            batch_size=whole(8),
            rate=npnet.step(number(0.125), whole(2), number(0.5)),
            optimizer=npnet.Momentum(number(0.5)),
            regularizers=(npnet.Regularizer(npnet.l2, number(0.25)),),
            max_norm=number(0.75),
            max_epochs=whole(3),
            patience=whole(2),
            policy=npnet.Discriminative(number(0.5)),
        )

    ends = []
    for number, whole in ((float, int), (np.float32, np.int32), (np.float64, np.uint8)):
        for dropout in (number(0.25), (number(0.25), number(0.25)), np.full(2, 0.25, number)):
            run = fresh(dropout=dropout)
            next(npnet.train(run, {"t": blobs()}, settings(number, whole)))
            npnet.save_tree(tmp_path / "run.npz", run.tree())
            run = npnet.Run.from_tree(npnet.load_tree(tmp_path / "run.npz"))
            list(npnet.train(run, {"t": blobs()}, settings(float, int)))  # the same settings
            ends.append(run)
    assert all(same(ends[0], each) for each in ends)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", ["inputs", "hidden layer 1", "hidden layer 2", "head 't'"])
def test_what_is_not_finite_is_no_class_and_is_named_by_its_place(place, value, activation):
    task = replace(blobs(classes=1), outputs=2)
    network = npnet.mlp((5, 4, 3), {"t": 2}, npnet.generator(0), activation=activation)
    network.heads["t"]["b"][0] = 100
    assert npnet.error(network, "t", task.test) == 0  # of one class alone: whatever is 0 would be right
    if place == "inputs":
        task.test.inputs[3, 2] = value
    else:
        p = {"hidden layer 1": network.trunk[0], "hidden layer 2": network.trunk[1], "head 't'": network.heads["t"]}
        p[place]["W"][1, 0] = value
    with pytest.raises(ValueError, match=f"{place}.*not finite; expected finite numbers"):
        npnet.error(network, "t", task.test)
    run = npnet.Run(network, npnet.generator(0))
    with pytest.raises(npnet.NotFiniteError):
        next(npnet.train(run, {"t": replace(blobs(classes=1), outputs=2)}, evaluations={"test": ("t", task.test)}))


@pytest.mark.parametrize("name", [3, None, ("t",), ["t"]])
def test_what_names_heads_refuses_what_is_no_string(name):
    run = fresh()
    key = tuple(name) if isinstance(name, list) else name
    for call in (
        lambda: run.network.add_head(name, 3, npnet.generator(0)),
        lambda: npnet.mlp((5, 4), {key: 3}, npnet.generator(0)),
        lambda: npnet.Hyperparameters(watch=(name,)),
        lambda: npnet.Hyperparameters(loss={key: npnet.cross_entropy}),
        lambda: npnet.error(run.network, name, blobs().test),
        lambda: run.network.logits(blobs().test.inputs, name),
        lambda: npnet.TrainingJob(run, {key: blobs()}),
        lambda: npnet.TrainingJob(run, {"t": blobs()}, evaluations={key: ("t", blobs().test)}),
        lambda: npnet.TrainingJob(run, {"t": blobs()}, evaluations={"x": (name, blobs().test)}),
    ):
        if name is None and call.__code__.co_consts and "inputs" in call.__code__.co_names:
            continue  # the path to no head ends below them
        with pytest.raises(ValueError, match="expected"):
            call()
