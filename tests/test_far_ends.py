"""The far ends of every function: each is right to a few units in the last place there, held to sixty digits."""

from decimal import Decimal, localcontext
from functools import cache

import numpy as np
import pytest

import npnet
from npnet import losses
from npnet.matching.jacobians import loss_gradient

PI = Decimal("3.141592653589793238462643383279502884197169399375105820974944592307816406286208998628034825342117")
DTYPES = [np.float32, np.float64]


def inputs(dtype, reach):
    """Numbers of either sign: dense around 0, to the ends where the tail leaves the range, and tiny ones."""
    tiny = np.geomspace(1e-30, 1, 60)
    X = np.concatenate([np.linspace(-reach, reach, 501), np.linspace(-40, 40, 641), tiny, -tiny, [0.0]])
    return X.astype(dtype)


def sigmoid_of(x):
    return 1 / (1 + (-x).exp())


def slope_of(x):
    return sigmoid_of(x) * sigmoid_of(-x)


def tanh_of(x):
    return (x.exp() - (-x).exp()) / (x.exp() + (-x).exp())


def softplus_of(x):
    return (1 + x.exp()).ln() if x > -100 else x.exp() - (2 * x).exp() / 2


def normal_density(x):
    return (-x * x / 2).exp() / (2 * PI).sqrt()


def normal_distribution(x):
    """Φ(x): from a series near 0, and from a continued fraction of its tail."""
    if x > 0:
        return 1 - normal_distribution(-x)
    if x > -6:
        total, term, k = Decimal(0), x, 0
        while abs(term) > Decimal("1e-75"):
            total, k = total + term, k + 1
            term = term * x * x / (2 * k + 1)
        return Decimal("0.5") + normal_density(x) * total
    tail = -x
    for k in range(400, 0, -1):
        tail = -x + k / tail
    return normal_density(x) / tail


def silu_curvature(x):
    return slope_of(x) * (2 - x * tanh_of(x / 2))


EXACT = {
    "silu": (lambda x: x * sigmoid_of(x), lambda x: sigmoid_of(x) + x * slope_of(x), silu_curvature),
    "gelu": (
        lambda x: x * normal_distribution(x),
        lambda x: normal_distribution(x) + x * normal_density(x),
        lambda x: normal_density(x) * (2 - x * x),
    ),
    "sigmoid": (sigmoid_of, slope_of, lambda x: slope_of(x) * (sigmoid_of(-x) - sigmoid_of(x))),
    "tanh": (tanh_of, lambda x: 4 * slope_of(2 * x), lambda x: -8 * tanh_of(x) * slope_of(2 * x)),
    "softplus": (softplus_of, sigmoid_of, slope_of),
}


ZEROS = {"silu": (-1.2784645427610738, 2.399357280515468), "gelu": (-0.7517915246935645, 2**0.5)}
"""Where the slope and the curvature of a function are zero: its terms cancel there."""


def assert_right(found, exact, units, at=None, factors=1):
    """Assert that numbers are right to so many units in the last place, those of the smallest ones included.

    factors: by what a number was multiplied that is right to a unit where it is among the smallest.
    """
    found = np.asarray(found)
    info = np.finfo(found.dtype)
    with localcontext(prec=80):
        grains = (np.broadcast_to(factors, found.shape) * info.smallest_subnormal.astype(float)).ravel().tolist()
        for i, (one, true, grain) in enumerate(zip(found.ravel().tolist(), exact, grains, strict=True)):
            unit = max(abs(true) * Decimal(float(info.eps)), Decimal(grain))
            off = abs(Decimal(one) - true) / unit
            assert off <= units, f"{one} for {true:.20g} is off by {off:.3g} units at {i if at is None else at[i]}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", EXACT)
def test_an_activation_is_right_everywhere_with_its_slope_and_curvature(name, dtype):
    activation = getattr(npnet, name)
    X = inputs(dtype, 110 if dtype is np.float32 else 750)
    for zero in ZEROS.get(name, ()):
        X = X[abs(abs(X) - abs(zero)) > 0.1]
    with np.errstate(all="raise"):
        Y = activation.value(X)
        found = Y, activation.slope(X, Y), activation.curvature(X, Y)
        Y, back = activation({}, X[:, None])
    assert np.array_equal(back(np.ones_like(Y))[0][:, 0], found[1])
    with localcontext(prec=120):
        points = [Decimal(float(x)) for x in X]
        for values, f, units in zip(found, EXACT[name], (4, 5, 8), strict=True):
            assert values.dtype == dtype
            by = np.maximum(X.astype(float) ** 2, 1) if name in ZEROS else 1  # they multiply a tail by x, or by x²
            assert_right(values, [f(x) for x in points], units, X, by)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus"])
def test_infinities_have_their_limits_and_what_is_no_number_stays_none(name):
    activation = getattr(npnet, name)
    X = np.array([-np.inf, np.inf, np.nan])
    Y = activation.value(X)
    limits = {"sigmoid": (0, 1), "tanh": (-1, 1), "softplus": (0, np.inf)}[name]
    assert tuple(Y[:2]) == limits
    assert np.isnan(Y[2])
    assert np.isnan(activation.slope(X, Y)[2])
    assert tuple(activation.slope(X, Y)[:2]) == ((0, 1) if name == "softplus" else (0, 0))
    for huge in (np.finfo(float).max, -np.finfo(float).max):
        with np.errstate(all="raise"):
            assert activation.slope(np.array([huge]), activation.value(np.array([huge])))[0] in (0, 1)


def test_whole_numbers_are_read_as_numbers():
    X = np.array([[0, 3, 200]], np.uint8)
    for activation in (npnet.sigmoid, npnet.tanh):
        Y, back = activation({}, X)
        exact, there = activation({}, X.astype(float))
        np.testing.assert_allclose(Y, exact, rtol=1e-2)
        np.testing.assert_allclose(back(np.ones((1, 3)))[0], there(np.ones((1, 3)))[0], rtol=1e-2, atol=1e-300)


@pytest.mark.parametrize("X", [-700.0, -40.0, -1.0, 0.0, 1e-9, 1.0, 40.0, 700.0])
@pytest.mark.parametrize("name", EXACT)
def test_the_complex_step_sees_the_slope_at_the_far_ends(name, X):
    activation, x = getattr(npnet, name), np.array([X])
    h = 1e-30
    step = activation.value(x + 1j * h).imag / h
    np.testing.assert_allclose(step, activation.slope(x, activation.value(x)), rtol=1e-14, atol=1e-290)


def rows(dtype):
    """Logits of three classes: even, confident, wrong with confidence, and beyond what an exponential can hold."""
    gaps = [0.0, 1e-6, 0.5, 3, 16.5, 17.5, 30, 37, 40, 80, 100, 300, 700]
    Z = [row for gap in gaps for row in ((gap, 0, -gap), (0, gap, gap / 2), (-gap, -gap, gap))]
    return np.array([row for row in Z if dtype is np.float64 or max(map(abs, row)) <= 40], dtype)


@cache
def exact_gradient(z, t):
    """f − onehot of the softmax f, with −Σ of the others at t."""
    powers = [Decimal(each).exp() for each in z]
    f = [each / sum(powers) for each in powers]
    return [-sum(f[k] for k in range(3) if k != t) if k == t else f[k] for k in range(3)]


@cache
def minus_log(z, t):
    """−log f_t = log(1 + Σ e^{z_k − z_t}), which is the sum itself where that is tiny."""
    rest = sum((Decimal(each) - Decimal(z[t])).exp() for k, each in enumerate(z) if k != t)
    return (1 + rest).ln() if rest > Decimal("1e-50") else rest


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", ["few", "plain", "lines of Python", "stacked"])
def test_cross_entropy_is_right_for_every_confidence(form, dtype, monkeypatch):
    """One example at a time, so that no large loss hides a small one."""
    if form == "lines of Python":
        monkeypatch.setattr(losses, "few_logits", np.errstate(under="ignore")(losses.few_logits.loop))
    if form == "plain":
        monkeypatch.setattr(losses, "_few", lambda Z, labels: False)
    for z in rows(dtype):
        for t in range(3):
            Z, labels = z[None], np.array([t])
            with np.errstate(all="raise"):
                value, dZ = npnet.cross_entropy(Z[None] if form == "stacked" else Z, labels)
            with localcontext(prec=120):
                exact, gradient = minus_log(tuple(z.tolist()), t), exact_gradient(tuple(z.tolist()), t)
            assert_right(value, [exact], 8)
            assert_right(dZ, gradient, 8, [(z.tolist(), t)] * 3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_soft_cross_entropy_with_certain_targets_is_cross_entropy(temperature, dtype):
    for z in rows(dtype):
        for t in range(3):
            P = np.eye(3, dtype=dtype)[[t]]
            with np.errstate(all="raise"):
                value, dZ = npnet.soft_cross_entropy(z[None], P, temperature)
            exact, exact_dZ = npnet.cross_entropy(z[None].astype(np.float64) / temperature, np.array([t]))
            rounding = 16 * np.finfo(dtype).eps
            np.testing.assert_allclose(value, exact, rtol=rounding, atol=np.finfo(dtype).tiny)
            if z.argmax() == t:  # elsewhere P − f is a difference of numbers that are given rounded
                np.testing.assert_allclose(dZ, exact_dZ / temperature, rtol=rounding, atol=np.finfo(dtype).tiny)


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_and_the_gradient_of_each_loss_keep_their_digits(dtype):
    Z = rows(dtype)
    with np.errstate(all="raise"):
        f, C = losses.softmax(Z), loss_gradient(Z, Z.argmax(-1))[0]
    with localcontext(prec=120):
        for z, found, c in zip(Z, f, C, strict=True):
            t = int(z.argmax())
            exact = exact_gradient(tuple(z.tolist()), t)
            assert_right(c, exact, 8)
            assert_right(found, [1 + each if k == t else each for k, each in enumerate(exact)], 8)


@pytest.mark.parametrize("dtype", DTYPES)
def test_normalise_at_tiny_and_huge_rows(dtype):
    """Unit length for every row that is not zero; the gradient scales with 1/‖X‖ until that leaves the range."""
    info, gamma = np.finfo(dtype), {"gamma": np.ones(1, dtype)}
    X, dY = np.array([[3, -4, 0]], dtype), np.array([[1, 2, 5]], dtype)
    exact, exact_back = npnet.normalise(gamma, X)
    smallest = float(info.smallest_subnormal)
    for scale in (smallest, 1024 * smallest, float(info.tiny), 1e-20, 1.0, 1e20, float(info.max) / 5):
        with np.errstate(all="raise"):
            Y, back = npnet.normalise(gamma, X * dtype(scale))
        np.testing.assert_allclose(Y, exact, rtol=4 * info.eps)
        with np.errstate(over="ignore"):
            np.testing.assert_allclose(
                back(dY)[0],
                (exact_back(dY)[0].astype(np.longdouble) / np.longdouble(scale)).astype(dtype),
                rtol=8 * info.eps,
                atol=4 * smallest,
            )
    for x in (smallest, float(info.tiny), float(info.max)):  # a single unit has length 1 whatever it is: no gradient
        Y, back = npnet.normalise(gamma, np.array([[x], [-x]], dtype))
        assert Y.tolist() == [[1], [-1]]
        assert back(np.ones((2, 1), dtype))[0].tolist() == [[0], [0]]
    Y, back = npnet.normalise(gamma, np.zeros((1, 3), dtype))
    assert not Y.any()
    assert not back(dY)[0].any()


def test_the_slope_of_a_layer_and_of_a_network_is_the_right_one_in_training():
    """A detector that is sure of itself still learns: its slope is 1e-17, not 0."""
    Y, back = npnet.sigmoid({}, np.array([[-40.0, 40.0]]))
    assert Y[0, 0] == pytest.approx(np.exp(-40), rel=1e-15)
    np.testing.assert_allclose(back(np.ones((1, 2)))[0], np.exp(-40), rtol=1e-15)
