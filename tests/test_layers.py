"""Layers: their mathematics on worked examples, and their laws on drawn shapes and values. Gradients: test_check.py."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npnet.activations import ACTIVATIONS, relu
from npnet.arrays import generator, to_host
from npnet.check import check_gradient
from npnet.fused import dense
from npnet.layers import Dropout, Shared, backward, chain, forward, linear, normalise
from npnet.populations.stack import Generators, stacked_form
from npnet.trees import copy_tree, leaves

values = st.one_of(st.sampled_from([0.0, -0.0, 0.5, 0.5, -1.0]), st.floats(-10, 10).map(lambda x: round(x, 3)))


@st.composite
def problems(draw, population=False):
    """Draw X and the parameters of a linear layer, or of a population's, each of which has its own inputs."""
    N, D, K, R = (draw(st.integers(1, 5)) for _ in range(4))
    seed = draw(st.integers(0, 2**32))
    rng = generator(seed)
    pool = np.array(draw(st.lists(values, min_size=1, max_size=8)))
    some = lambda *shape: rng.choice(pool, shape)  # noqa: E731
    if population:
        return some(R, N, D), {"W": some(R, D, K), "b": some(R, K)}
    return some(N, D), {"W": some(D, K), "b": some(K)}


@given(problems())
def test_linear_is_the_sum_it_says_and_its_gradients_hold(problem):
    X, p = problem
    Y, _ = linear(p, X)
    np.testing.assert_allclose(Y, np.einsum("nd,dk->nk", X, p["W"]) + p["b"], rtol=1e-12, atol=1e-10)
    assert check_gradient(lambda X, p: linear(p, X), X, p)


@given(problems(population=True))
def test_a_population_is_its_members_one_by_one(problem):
    X, p = problem
    expected = np.einsum("rnd,rdk->rnk", X, p["W"]) + p["b"][:, None]
    for lowest in (-1, 0):
        ((layer, _),) = stacked_form([(linear, p)], lowest)
        Y, back = layer(p, X)
        np.testing.assert_allclose(Y, expected, rtol=1e-12, atol=1e-10)
        dX, dp = back(np.ones_like(Y))
        assert (dX is None) == (lowest == 0)  # nothing is below that trains
        for r in range(len(p["W"])):
            Yr, backr = linear({key: w[r] for key, w in p.items()}, X[r])
            dXr, dpr = backr(np.ones_like(Yr))
            np.testing.assert_allclose(Y[r], Yr, atol=1e-12)
            np.testing.assert_allclose(dense(dp["W"])[r], dpr["W"], atol=1e-12)
            np.testing.assert_allclose(dp["b"][r], dpr["b"], atol=1e-12)
            if dX is not None:
                np.testing.assert_allclose(dX[r], dXr, atol=1e-10)


@given(problems(population=True), st.integers(0, 99))
def test_any_layer_in_a_population_is_itself_row_by_row_to_the_bit(problem, seed):
    X, p = problem
    p["gamma"] = p["b"]

    def body(p, X, rng=None):
        Y, back = chain(linear, Dropout(0.3), normalise)([p, {}, p], X, rng)

        def back_of_one(dY):
            dX, dp = back(dY)
            return dX, dp[0] | dp[2]

        return Y, back_of_one

    ((layer, _),) = stacked_form([(body, p)], 0)
    Y, back = layer(p, X, Generators([generator(seed, r) for r in range(len(X))]))
    dX, dp = back(np.ones_like(Y))
    for r in range(len(X)):
        Yr, backr = body({key: w[r] for key, w in p.items()}, X[r], generator(seed, r))
        dXr, dpr = backr(np.ones_like(Yr))
        assert dpr.keys() == dp.keys() == p.keys()
        for mine, other in ((Y[r], Yr), (dX[r], dXr), *((dp[key][r], dpr[key]) for key in p)):
            np.testing.assert_array_equal(mine, other)


@given(problems(), st.sampled_from([*ACTIVATIONS]), st.integers(0, 9))
def test_inputs_are_untouched_and_the_way_back_is_repeatable(problem, activation, seed):
    X, p = problem
    body = chain(linear, ACTIVATIONS[activation], Dropout(0.3), normalise)
    parameters = [p, {}, {}, {"gamma": np.ones(p["b"].shape)}]
    before = copy_tree([X, parameters])
    Y, back = body(parameters, X, generator(seed))
    dY = np.ones_like(Y)
    first, second = back(dY), back(dY)
    for (_, a), (_, b) in zip(leaves(first), leaves(second), strict=True):
        np.testing.assert_array_equal(a, b)
    for (_, a), (_, b) in zip(leaves(before), leaves([X, parameters]), strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.all(dY == 1)
    np.testing.assert_array_equal(Y, body(parameters, X, generator(seed))[0])


@given(problems())
def test_single_precision_stays_within_the_rounding_bound_of_double(problem):
    """|fl(x·w + b) − (x·w + b)| ≤ γₙ (|x|·|w| + |b|), γₙ = nu/(1 − nu), n = D + 1 (Higham 2002, section 3.1)."""
    X, p = problem
    X32, p32 = X.astype(np.float32), {key: w.astype(np.float32) for key, w in p.items()}
    X, p = X32.astype(float), {key: w.astype(float) for key, w in p32.items()}  # what single precision stands for
    (Y32, back32), (Y, back) = linear(p32, X32), linear(p, X)
    assert Y32.dtype == np.float32
    u = np.finfo(np.float32).eps / 2

    def gamma(n):
        return n * u / (1 - n * u)

    magnitude = linear({key: abs(w) for key, w in p.items()}, abs(X))[0]
    assert np.all(abs(Y32 - Y) <= gamma(X.shape[-1] + 1) * magnitude + 1e-37)
    dY = np.sin(np.arange(Y.size)).reshape(Y.shape).astype(np.float32)
    dX32, dp32 = back32(dY)
    dX, dp = back(dY.astype(float))
    bound_dX, bound_dp = linear({key: abs(w) for key, w in p.items()}, abs(X))[1](abs(dY).astype(float))
    terms = Y.size + 1
    assert np.all(abs(dX32 - dX) <= gamma(terms) * bound_dX + 1e-37)
    for key in p:
        assert np.all(abs(dp32[key] - dp[key]) <= gamma(terms) * bound_dp[key] + 1e-37)


def test_relu_at_its_kink_and_beyond_numbers(xp):
    Y, back = relu({}, xp.asarray([-1.0, -0.0, 0.0, 5e-324, 2.0, np.nan]))
    assert to_host(Y)[:5].tolist() == [0, 0, 0, 5e-324, 2]
    assert np.isnan(to_host(Y)[5])
    assert to_host(back(xp.asarray([1.0] * 6))[0]).tolist() == [0, 0, 0, 1, 1, 0]


def test_sigmoid_and_tanh_do_not_overflow(xp):
    X = xp.asarray([-1000.0, 0.0, 1000.0])
    assert to_host(ACTIVATIONS["sigmoid"]({}, X)[0]).tolist() == [0, 0.5, 1]
    assert to_host(ACTIVATIONS["tanh"]({}, X)[0]).tolist() == [-1, 0, 1]


def test_normalise_makes_rows_of_length_gamma(xp):
    X = xp.asarray(np.array([[3.0, 4.0], [0.0, 0.0], [1e-200, 0.0], [3e200, 4e200], [1e-300, 0.0]]))
    Y, back = normalise({"gamma": xp.asarray([2.0])}, X)
    np.testing.assert_allclose(to_host(Y), [[1.2, 1.6], [0, 0], [2, 0], [1.2, 1.6], [2, 0]])
    dX, _ = back(xp.asarray(np.ones((5, 2))))
    assert np.isfinite(to_host(dX)).all()
    assert to_host(dX)[1].tolist() == [0, 0]


def test_dropout_keeps_the_mean_and_drops_the_rate(rng):
    X = np.ones((400, 500))
    Y, back = Dropout(0.2)({}, X, rng)
    assert set(np.unique(Y)) == {0.0, 1.25}
    assert abs((Y == 0).mean() - 0.2) < 5 * (0.2 * 0.8 / X.size) ** 0.5
    assert np.array_equal(back(X)[0], Y)
    with pytest.raises(ValueError, match="rng is None; expected a generator to draw dropout from"):
        Dropout(0.2)({}, X)
    for rng in (None, generator(0)):  # at a rate of 0 there is nothing to draw
        Y, back = Dropout(0.0)({}, X, rng)
        assert Y is X
        assert back(X)[0] is X


def test_dropout_draws_the_same_bits_in_both_precisions():
    X = np.ones((50, 50))
    double = Dropout(0.5)({}, X, generator(3))[0]
    single = Dropout(0.5)({}, X.astype(np.float32), generator(3))[0]
    assert single.dtype == np.float32
    assert np.array_equal(double, single)


def test_a_path_is_walked_down_only_where_it_is_asked_to_be():
    asked = []

    def spy(name):
        def layer(p, X, rng=None):
            def back(dY):
                asked.append((name, dY.tolist()))
                return 2 * dY, {"w": dY}

            return X + 1, back

        return layer

    one = np.ones((1, 1))
    layers = [spy(name) for name in "abcd"]
    outputs, backs = forward([(layer, {}) for layer in layers], one)
    assert [Y.item() for Y in outputs] == [1, 2, 3, 4, 5]
    assert asked == []
    # from the top down to link 1, which is "b"; what comes in at link 1 is added to what comes from above
    found = [(i, dX.item(), dp["w"].item()) for i, dX, dp in backward(backs, {3: one, 1: 10 * one}, 1)]
    assert asked == [("d", [[1]]), ("c", [[2]]), ("b", [[14]])]
    assert found == [(3, 2, 1), (2, 4, 2), (1, 28, 14)]
    asked.clear()
    # nothing comes in above link 1: no gradient there, and nothing is computed
    assert [each[1:] for each in backward(backs, {1: one}, 1)] == [(None, None), (None, None), (2 * one, {"w": one})]
    assert asked == [("b", [[1]])]
    asked.clear()
    way_down = backward(backs, {3: one})
    next(way_down)
    assert asked == [("d", [[1]])]  # it is lazy
    asked.clear()
    dX, dp = chain(*layers)([{}] * 4, one)[1](one)
    assert len(asked) == 4
    assert (dX.item(), [each["w"].item() for each in dp]) == (16, [8, 4, 2, 1])  # parameters from the bottom
    Y, back = chain()([], one)
    assert (Y, back(one)) == (one, (one, []))


def test_bad_shapes_and_rates_are_named():
    with pytest.raises(ValueError, match=r"X has shape \(2, 3\), W \(4, 5\)"):
        linear({"W": np.ones((4, 5)), "b": np.ones(5)}, np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"b \(4,\)"):
        linear({"W": np.ones((3, 5)), "b": np.ones(4)}, np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"X has shape \(3,\)"):
        linear({"W": np.ones((3, 5)), "b": np.ones(5)}, np.ones(3))
    for X, W in (((2, 2, 3), (3, 5)), ((2, 3), (2, 3, 5)), ((2, 2, 3), (2, 3, 5))):  # stacks are the populations' own
        with pytest.raises(ValueError, match=r"X has shape \(2,.*expected \(N, D\), \(D, K\), \(K,\)"):
            linear({"W": np.ones(W), "b": np.ones((*W[:-2], 5))}, np.ones(X))
    with pytest.raises(ValueError, match=r"X has shape \(2, 2, 3\); expected \(N, 6\), 2 patches of 3 values"):
        Shared(2)({"W": np.ones((3, 5)), "b": np.ones(5)}, np.ones((2, 2, 3)))
    p = {"W": np.ones((1, 5)), "b": np.ones(5), "gamma": np.ones(1)}
    for layer in (linear, Shared(1), normalise, Dropout(0.5), *ACTIVATIONS.values()):
        with pytest.raises(TypeError, match=r"X is \[\[1\.0\]\], a list; expected an array"):
            layer(p, [[1.0]])
    with pytest.raises(ValueError, match=r"gamma has shape \(3,\), X \(2, 4\); expected"):
        normalise({"gamma": np.ones(3)}, np.ones((2, 4)))
    for rate in (-0.1, 1.0, 2.0, float("nan")):
        with pytest.raises(ValueError, match="rate is"):
            Dropout(rate)
    with pytest.raises(ValueError, match="p has 1 entries; expected 2"):
        chain(relu, relu)([{}], np.ones((1, 1)))
