"""Measures worked by hand: what a sequence of tasks left, and the R² of activations, against a least-squares fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npnet import Network, Split, error, generator, mlp, progressive
from npnet.initialisers import glorot
from npnet.measures import (
    backward_transfer,
    forgetting_since_best,
    forgetting_since_learned,
    forward_transfer,
    r_squared,
    transfer_score,
)

# Errors on tasks 0, 1, 2 (columns) after each was learned (rows): task 0 is best after task 1.
E = np.array([[4.0, 50.0, 40.0], [3.0, 6.0, 30.0], [9.0, 5.0, 2.0]])
UNTRAINED = np.array([50.0, 52.0, 44.0])


def test_a_sequence_of_three_tasks_worked_by_hand():
    assert forgetting_since_learned(E).tolist() == [9 - 4, 5 - 6]
    assert forgetting_since_best(E).tolist() == [9 - 3, 5 - 6]
    assert backward_transfer(E) == ((4 - 9) + (6 - 5)) / 2 == -2
    assert forward_transfer(E, UNTRAINED) == ((52 - 50) + (44 - 30)) / 2 == 8
    assert transfer_score(10.0, 20.0) == 90 / 80
    unknown = np.where(np.triu(np.ones((3, 3)), 1) > 0, np.nan, E)  # no head before the task: what is left is the same
    assert forgetting_since_best(unknown).tolist() == [6, -1]
    assert backward_transfer(unknown) == -2
    with pytest.raises(ValueError, match=r"errors before learning are .*nan"):
        forward_transfer(unknown, UNTRAINED)


@given(st.integers(2, 6), st.integers(0, 999))
def test_laws_of_forgetting(tasks, seed):
    errors = np.random.default_rng(seed).integers(0, 20, (tasks, tasks)).astype(float)
    assert (forgetting_since_best(errors) >= forgetting_since_learned(errors)).all()
    assert backward_transfer(errors) == pytest.approx(-forgetting_since_learned(errors).mean())
    still = np.broadcast_to(errors[0], errors.shape)  # nothing changes after the first task
    assert not forgetting_since_best(still).any()
    assert forward_transfer(still, errors[0]) == 0


def test_a_matrix_of_errors_is_made_of_the_errors_of_heads():
    rng = np.random.default_rng(0)
    splits = {name: Split(rng.normal(size=(40, 4)), rng.integers(0, 2, 40)) for name in "ab"}
    task = type("Task", (), {"name": "b", "outputs": 2})()
    one = mlp((4, 5), {"a": 2}, generator(0), dtype=np.float64)
    for two in (one.add_head("b", 2, generator(1)), progressive().surgery(one, task, generator(1), glorot)):
        with pytest.raises(ValueError, match="head is 'b'; expected one of 'a'"):
            error(one, "b", splits["b"])
        errors = np.array([[error(one, "a", splits["a"]), np.nan], [error(two, name, splits[name]) for name in "ab"]])
        assert errors[0, 0] == errors[1, 0]
        assert forgetting_since_best(errors).tolist() == forgetting_since_learned(errors).tolist() == [0]
        for network, head, found in ((one, "a", errors[0, 0]), (two, "b", errors[1, 1])):
            split = splits[head]
            wrong = network.logits(split.inputs, head).argmax(-1) != split.labels
            assert found == 100 * wrong.sum() / 40


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: forgetting_since_learned(E[:2]), r"E has shape \(2, 3\)"),
        (lambda: forgetting_since_best(E[:1, :1]), "at least two tasks"),
        (lambda: forward_transfer(E, UNTRAINED[:2]), "expected 3, 2 numbers"),
        (lambda: transfer_score(10.0, 100.0), "alone 100.0; expected percentages"),
        (lambda: transfer_score(-1.0, 20.0), "error is -1.0"),
    ],
)
def test_measures_refuse_what_makes_no_sense(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def one_unit(w, b):
    """A network of one input and one rectified unit: max(0, w x + b)."""
    return Network([{"W": np.array([[float(w)]]), "b": np.array([float(b)])}])


def points(*x):
    return Split(np.array(x, float)[:, None], np.zeros(len(x), int))


def test_a_worked_example():
    # x = 0, 1, 2, 3: before a = x; after b = max(0, x − 1) = 0, 0, 1, 2. With a − ā = (−3, −1, 1, 3)/2 and
    # b − b̄ = (−3, −3, 1, 5)/4: Σ of products 28/8 = 7/2, Σ of squares 5 and 11/4, so R² = (49/4) / (55/4) = 49/55.
    (found,) = r_squared(one_unit(1, 0), one_unit(1, -1), points(0, 1, 2, 3))
    assert found == pytest.approx([49 / 55], rel=1e-15)


def test_it_is_one_for_a_scaled_unit_and_says_nothing_of_silent_ones():
    x = points(1, 2, 4)
    assert r_squared(one_unit(1, 0), one_unit(3, 1), x)[0] == pytest.approx([1.0])
    assert r_squared(one_unit(1, 0), one_unit(-1, 0), x)[0] == [0.0]  # fell silent
    assert r_squared(one_unit(-1, 0), one_unit(1, 0), x)[0] == [0.0]  # woke up: the past explains nothing
    assert np.isnan(r_squared(one_unit(-1, 0), one_unit(-2, 0), x)[0])
    assert np.isnan(r_squared(one_unit(0, 0.1), one_unit(0, 0.3), x)[0])  # constant, though its mean may round


@pytest.mark.parametrize("dropout", [(), (0.2, 0.5)])
def test_every_layer_against_a_least_squares_fit(dropout):
    before, after = (mlp((4, 6, 5), {}, generator(seed), dropout=dropout, dtype=np.float64) for seed in range(2))
    X = np.random.default_rng(3).normal(size=(30, 4))
    found = r_squared(before, after, Split(X, np.zeros(30, int)))
    outputs = list(zip(before.hidden_outputs(X), after.hidden_outputs(X), strict=True))
    assert [values.shape for values in found] == [(6,), (5,)]
    for values, (a, b) in zip(found, outputs, strict=True):
        for k, value in enumerate(values):
            if a[:, k].any() and b[:, k].any():
                line = np.polynomial.Polynomial.fit(a[:, k], b[:, k], 1)(a[:, k])
                explained = 1 - ((b[:, k] - line) ** 2).sum() / ((b[:, k] - b[:, k].mean()) ** 2).sum()
                assert value == pytest.approx(explained, abs=1e-12)


def test_hidden_outputs_are_those_of_the_network():
    network = mlp((4, 6, 5), {"a": 3}, generator(0), dtype=np.float64)
    X = np.random.default_rng(0).normal(size=(7, 4))
    first, second = network.hidden_outputs(X)
    assert first.shape == (7, 6)
    assert (second @ network.heads["a"]["W"] + network.heads["a"]["b"] == network.logits(X, "a")).all()


def test_networks_of_other_widths_are_refused():
    with pytest.raises(ValueError, match="expected the same shapes"):
        r_squared(mlp((1, 2), {}, generator(0)), mlp((1, 3), {}, generator(0)), points(1, 2))
