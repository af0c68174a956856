"""R² of activations: worked by hand, against a least-squares fit, and where a unit is silent."""

import numpy as np
import pytest

from npnet import Network, Split, generator, mlp
from npnet.analysis import r_squared


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
