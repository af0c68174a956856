"""Layers: their mathematics on worked examples, and their laws on drawn shapes and values. Gradients: test_check.py."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npnet.arrays import generator, to_host
from npnet.check import check_gradient
from npnet.layers import ACTIVATIONS, chain, dropout, linear, normalise, relu, shared
from npnet.trees import copy_tree, leaves

values = st.one_of(st.sampled_from([0.0, -0.0, 0.5, 0.5, -1.0]), st.floats(-10, 10).map(lambda x: round(x, 3)))


@st.composite
def problems(draw, population=None):
    """Draw X and the parameters of a linear layer: plain, with patches, or a population with own or shared inputs."""
    N, D, K, R = (draw(st.integers(1, 5)) for _ in range(4))
    seed = draw(st.integers(0, 2**32))
    rng = generator(seed)
    pool = np.array(draw(st.lists(values, min_size=1, max_size=8)))
    some = lambda *shape: rng.choice(pool, shape)  # noqa: E731
    if population or (population is None and draw(st.booleans())):
        X = some(R, N, D) if draw(st.booleans()) else some(N, D)
        return X, {"W": some(R, D, K), "b": some(R, K)}
    X = some(N, R, D) if draw(st.booleans()) else some(N, D)
    return X, {"W": some(D, K), "b": some(K)}


@given(problems())
def test_linear_is_the_sum_it_says_and_its_gradients_hold(problem):
    X, p = problem
    Y, _ = linear(p, X)
    W, b = p["W"], p["b"]
    if W.ndim == 2:
        expected = np.einsum("...d,dk->...k", X, W) + b
    else:
        expected = np.einsum("rnd,rdk->rnk", np.broadcast_to(X, (len(W), *X.shape[-2:])), W) + b[:, None]
    np.testing.assert_allclose(Y, expected, rtol=1e-12, atol=1e-10)
    assert check_gradient(lambda X, p: linear(p, X), X, p)


@given(problems(population=True))
def test_a_population_is_its_members_one_by_one(problem):
    X, p = problem
    Y, back = linear(p, X)
    dX, dp = back(np.ones_like(Y))
    total = np.zeros_like(dX)
    for r in range(len(p["W"])):
        mine = X[r] if X.ndim == 3 else X
        Yr, backr = linear({key: w[r] for key, w in p.items()}, mine)
        dXr, dpr = backr(np.ones_like(Yr))
        np.testing.assert_allclose(Y[r], Yr, atol=1e-12)
        np.testing.assert_allclose(dp["W"][r], dpr["W"], atol=1e-12)
        np.testing.assert_allclose(dp["b"][r], dpr["b"], atol=1e-12)
        if X.ndim == 3:
            total[r] = dXr
        else:
            total += dXr
    np.testing.assert_allclose(dX, total, atol=1e-10)


@given(problems(), st.sampled_from([*ACTIVATIONS]), st.integers(0, 9))
def test_inputs_are_untouched_and_the_way_back_is_repeatable(problem, activation, seed):
    X, p = problem
    body = chain(linear, ACTIVATIONS[activation], dropout(0.3), normalise)
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
    Y, back = dropout(0.2)({}, X, rng)
    assert set(np.unique(Y)) == {0.0, 1.25}
    assert abs((Y == 0).mean() - 0.2) < 5 * (0.2 * 0.8 / X.size) ** 0.5
    assert np.array_equal(back(X)[0], Y)
    Y, back = dropout(0.2)({}, X)
    assert Y is X
    assert back(X)[0] is X


def test_dropout_draws_the_same_bits_in_both_precisions():
    X = np.ones((50, 50))
    double = dropout(0.5)({}, X, generator(3))[0]
    single = dropout(0.5)({}, X.astype(np.float32), generator(3))[0]
    assert single.dtype == np.float32
    assert np.array_equal(double, single)


def test_a_chain_makes_only_the_gradients_it_is_asked_for():
    asked = []

    def spy(name):
        def layer(p, X, rng=None):
            def back(dY, inputs=True, parameters=True):
                asked.append((name, inputs, parameters))
                return (dY if inputs else None), ({} if parameters else None)

            return X, back

        return layer

    body = chain(*map(spy, "abcd"))
    _, back = body([{}] * 4, np.ones((1, 1)))
    _, dp = back(np.ones((1, 1)), inputs=False, parameters=[False, True, False, True])
    assert asked == [("d", True, True), ("c", True, False), ("b", False, True)]
    assert dp == [None, {}, None, {}]
    asked.clear()
    assert back(np.ones((1, 1)), inputs=False, parameters=[False] * 4) == (None, [None] * 4)
    assert asked == []
    back(np.ones((1, 1)))
    assert len(asked) == 4


def test_bad_shapes_and_rates_are_named():
    with pytest.raises(ValueError, match=r"X has shape \(2, 3\), W \(4, 5\)"):
        linear({"W": np.ones((4, 5)), "b": np.ones(5)}, np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"b \(4,\)"):
        linear({"W": np.ones((3, 5)), "b": np.ones(4)}, np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"X has shape \(3,\)"):
        linear({"W": np.ones((3, 5)), "b": np.ones(5)}, np.ones(3))
    p = {"W": np.ones((1, 5)), "b": np.ones(5), "gamma": np.ones(1)}
    for layer in (linear, shared(1), normalise, dropout(0.5), *ACTIVATIONS.values()):
        with pytest.raises(TypeError, match=r"X is \[\[1\.0\]\], a list; expected an array"):
            layer(p, [[1.0]])
    with pytest.raises(ValueError, match=r"gamma has shape \(3,\), X \(2, 4\); expected"):
        normalise({"gamma": np.ones(3)}, np.ones((2, 4)))
    for rate in (-0.1, 1.0, 2.0, float("nan")):
        with pytest.raises(ValueError, match="rate is"):
            dropout(rate)
    with pytest.raises(ValueError, match="p has 1 entries; expected 2"):
        chain(relu, relu)([{}], np.ones((1, 1)))
    with pytest.raises(ValueError, match="parameters has 1 flags; expected 2"):
        chain(relu, relu)([{}, {}], np.ones((1, 1)))[1](np.ones((1, 1)), parameters=[True])
