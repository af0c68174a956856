"""What was not seen is not confirmed: lost imaginary parts, noise, kinks, buffers, keys, and forms of results."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npnet.arrays import generator
from npnet.check import (
    check_convex,
    check_gradient,
    check_hessian,
    check_jacobian,
    check_kinks,
    hessian_vector_product,
)
from npnet.check.derivative import Ray, central, measured_noise

PENALTIES = {
    "abs": (lambda w: np.abs(w).sum(), lambda w: np.sign(w.real)),
    "norm": (np.linalg.norm, lambda w: w / np.linalg.norm(w)),
    "real": (lambda w: (w.real**4).sum(), lambda w: 4 * w.real**3),
    "cast": (lambda w: (np.asarray(w, float) ** 3).sum(), lambda w: 3 * np.asarray(w, float) ** 2),
    "conj": (lambda w: (w * np.conj(w)).sum(), lambda w: 2 * w),
}


def _half(w):
    return (w * w).sum() / 2


@given(
    st.sampled_from([*PENALTIES]), st.sampled_from([1, 4, 60, 600]), st.sampled_from([1e-6, 1e-3, 1.0]), st.booleans()
)
@settings(max_examples=30, deadline=None)
def test_a_penalty_that_drops_the_imaginary_part_is_never_forgotten(name, size, strength, zeros):
    penalty, slope = PENALTIES[name]
    w = generator(size, "w").standard_normal(size)
    w[::3] = 0.0 if zeros and size > 1 and name != "norm" else w[::3]
    assert check_gradient(lambda w: (_half(w) + strength * penalty(w), w + strength * slope(w)), w)
    report = check_gradient(lambda w: (_half(w) + strength * penalty(w), w), w)
    assert not report
    assert "w was checked by differences" in str(report)


def test_every_check_compares_the_complex_step_with_differences():
    w = generator(1).standard_normal(5)
    net = lambda w, s=1.0: (_half(w) + 0.3 * np.abs(w).sum(), w + 0.3 * s * np.sign(w.real))  # noqa: E731
    assert check_kinks(net, w)
    assert not check_kinks(lambda w: net(w, 0.99), w)
    slope = lambda x, s: 2 * x + s * np.sign(x.real)  # noqa: E731
    both = lambda x, s: (x * x + np.abs(x), lambda u: slope(x, s) * u, lambda dY: slope(x, s) * dY)  # noqa: E731
    assert check_jacobian(lambda x: both(x, 1.0), w)
    assert not check_jacobian(lambda x: both(x, 0.0), w)

    def ridge(w):  # its data term is cast, so the complex step sees the ridge alone
        z = np.asarray(w, float)
        return np.cosh(z).sum() + _half(w), np.sinh(z) + w

    right = lambda w, v: [np.cosh(w) * v[0] + v[0]]  # noqa: E731
    assert check_hessian(ridge, w, product=right)
    assert not check_hessian(ridge, w, product=lambda w, v: v)
    with pytest.raises(ValueError, match="loses the imaginary part"):
        hessian_vector_product(ridge, (w,), (w,))
    with pytest.raises(ValueError, match="imaginary part of w"):
        check_gradient(net, w, method="complex step")


def test_the_sign_of_a_complex_number_has_no_curvature():
    w = np.array([0.5, 0.0, -1.0])
    f = lambda w: (0.3 * np.abs(w).sum() + _half(w), 0.3 * np.sign(w) + w)  # noqa: E731
    assert check_hessian(f, w, product=lambda w, v: v)
    assert not check_hessian(f, w, product=lambda w, v: [1.01 * v[0]])


def test_directions_that_change_nothing_choose_no_method():
    def brier(b):
        P = np.exp(np.sin(np.arange(9.0).reshape(3, 3)) + b)
        P = P / P.sum(1, keepdims=True)
        D = P - np.eye(3)
        return (np.abs(D) ** 2).sum(), (2 * P * (D - (D * P).sum(1, keepdims=True))).sum(0)

    last = lambda x: (np.abs(x[-1]), np.append(0 * x[:-1].real, np.sign(x[-1].real)))  # noqa: E731
    for f in (brier, last):
        assert check_gradient(f, np.array([0.0, 1.0, -1.0]))
        assert not check_gradient(lambda x, f=f: (f(x)[0], 1.001 * f(x)[1]), np.array([0.0, 1.0, -1.0]))


def test_what_is_zero_throughout_or_does_not_move_is_not_called_confirmed():
    report = check_gradient(lambda X: (X @ np.zeros((3, 2)), lambda dY: 7 * dY @ np.zeros((2, 3))), np.ones((5, 3)))
    assert str(report).startswith("gradient: nothing to see at this point")
    assert "zero throughout, so nothing was tested. f may be constant" in report.notes[0]
    report = check_gradient(lambda X, W: (X @ W, lambda dY: (dY @ W.T, X.T @ dY)), np.ones((5, 3)), np.zeros((3, 2)))
    assert report.verdict == "nothing seen"
    assert "zero throughout, so nothing was tested. Move the other arguments" in " ".join(report.notes)
    cached = check_gradient(lambda w: (3.0, -w), np.ones(3))
    assert "does not change with this argument" in cached.lines[0].likely


def test_gradients_belong_to_parameters_by_their_keys():
    A = generator(2).standard_normal((6, 4))

    def affine(p, wrong=1.0):
        Y = p["scale"] * A + p["shift"]
        return (Y * Y).sum(), {"shift": 2 * Y.sum(0) * wrong, "scale": 2 * (Y * A).sum(0)}

    p = {"scale": A[0] + 1, "shift": A[1]}
    for check in (check_gradient, check_kinks, check_hessian):
        assert check(affine, p)
    assert not check_gradient(lambda p: affine(p, 1.001), p)
    with pytest.raises(ValueError, match="expected \\['scale', 'shift'\\]"):
        check_gradient(lambda p: (affine(p)[0], {"scale": affine(p)[1]["scale"]}), p)
    nested = lambda q: (affine(q["a"][0])[0], {"a": [affine(q["a"][0])[1]]})  # noqa: E731
    assert check_gradient(nested, {"a": [p]})


@pytest.mark.parametrize("check", [check_gradient, check_kinks, check_convex])
@pytest.mark.parametrize("real", [True, False])
def test_one_buffer_for_all_gradients_is_no_fault(check, real):
    buffer = np.zeros(3)

    def square(x, wrong=1.0):
        if real and np.iscomplexobj(x):
            raise TypeError("real numbers only")
        buffer[:] = 2 * wrong * x.real
        return (x * x).sum(), buffer

    x = np.array([0.5, -1.0, 2.0])
    report = check(square, x)
    assert report
    assert "one array, filled anew" in str(report)
    assert not check(lambda x: square(x, 1.1), x)


def test_differences_never_pass_complex_numbers():
    def compiled(x):
        assert x.dtype == np.float64
        return math.fsum(x**2), 2 * x

    report = check_gradient(compiled, np.ones(3), method="differences")
    assert report
    assert not report.notes
    assert check_hessian(compiled, np.ones(3), method="differences")


def test_warnings_are_recorded_and_leave_objects_whole():
    class Loss:
        weights = np.array([1.0, 2.0, 3.0])

        def value(self, w):
            aside, self.weights = self.weights, 1.0
            v = np.empty(w.shape)
            v[:] = w
            self.weights = aside
            return (self.weights * v**2).sum()

    loss = Loss()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_gradient(lambda w: (loss.value(w), 2 * loss.weights * w), np.ones(3))
    assert loss.weights.tolist() == [1, 2, 3]

    class Broken(Loss):
        def value(self, w):
            aside, self.weights = self.weights, np.ones(3)
            if np.iscomplexobj(w):
                raise TypeError("real numbers only")
            v = [math.pow(x, 2) for x in w]  # raises for complex numbers, before the weights are back
            self.weights = aside
            return (self.weights * v).sum()

    broken = Broken()
    report = check_gradient(lambda w: (broken.value(w), 2 * broken.weights * w), np.ones(3))
    assert not report
    assert "other bits at the same arguments" in str(report)


@pytest.mark.parametrize("kind", [AssertionError, RuntimeError, KeyError])
def test_whatever_is_raised_beside_the_point_means_not_defined_there(kind):
    def entropy(P, wrong=1.0):
        if abs(P.real.sum(1) - 1).max() > 1e-6:
            raise kind
        return -np.log(P).sum(), -wrong / P

    P = np.array([[0.6, 0.4], [0.3, 0.7]])
    for check, options in ((check_gradient, {}), (check_gradient, {"method": "differences"}), (check_convex, {})):
        assert check(entropy, P, **options)
        assert not check(lambda P: entropy(P, 1.01), P, **options)


def test_a_simplex_is_checked_along_its_tangents():
    def entropy(P, wrong=1.0):
        if abs(P.real.sum() - 1) > 1e-14:
            raise ValueError("no distribution")
        return -sum(math.log(p) for p in P), -wrong / P + 5

    P, tangents = np.array([0.2, 0.3, 0.5]), [[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]
    assert check_gradient(entropy, P, directions=tangents)
    wrong = check_gradient(lambda P: entropy(P, 1.01), P, directions=tangents)
    assert not wrong
    assert "direction 0" in str(wrong)
    assert not check_gradient(entropy, P)  # other directions are not defined, and 5 is not seen along these


@given(st.integers(0, 20), st.sampled_from([5, 80]))
@settings(max_examples=12, deadline=None)
def test_single_precision_inside_is_measured(seed, size):
    def swish(X, wrong=1.0):
        s = 1 / (1 + np.exp(-X.real.astype(np.float32)))
        return X.real * s, lambda dY: wrong * dY * (s + X.real * s * (1 - s))

    X = generator(seed).standard_normal((size, 3))
    report = check_gradient(swish, X)
    assert report
    assert "noisier than their type" in str(report)
    assert not check_gradient(lambda X: swish(X, 1.05), X)


@given(st.floats(-30, 0), st.integers(0, 100))
@settings(deadline=None)
def test_noise_is_measured_to_its_size(power, seed):
    rng, deviation = generator(seed), 2.0**power
    found = measured_noise(lambda t: np.exp(t) + deviation * rng.standard_normal(), 1.0)
    assert 0.1 * deviation < found < 10 * deviation


def test_an_fft_whose_imaginary_parts_are_rounding_is_no_fault():
    v, kernel = generator(4).standard_normal((2, 15))
    H = np.fft.fft(kernel)

    def convolve(v, wrong=1.0):
        like = (lambda z: z) if np.iscomplexobj(v) else np.real
        return like(np.fft.ifft(H * np.fft.fft(v))), lambda dY: wrong * like(np.fft.ifft(H.conj() * np.fft.fft(dY)))

    assert check_gradient(convolve, v)
    assert not check_gradient(lambda v: convolve(v, 1.001), v)


STRESS = {
    "aliased": (lambda t: np.sin(256 * np.pi * t), 256 * np.pi),
    "fast": (lambda t: np.sin(1e4 * t), 1e4),
    "narrow": (lambda t: t + 1e-3 * np.sin(1e5 * t), 1 + 1e2),
    "near a kink": (lambda t: abs(t - 1e-4) + t, 0.0),
    "near two kinks": (lambda t: abs(t - 1e-4) + abs(t + 1e-4) + t * t, 0.0),
    "small beside large": (lambda t: 1e8 + np.sin(t), 1.0),
    "staircase": (lambda t: float(np.float32(2 + np.sin(t))), 1.0),
    "one step only": (lambda t: t**40 + t, 1.0),
    "steep": (lambda t: np.tanh(1e3 * t), 1e3),
}


@pytest.mark.parametrize("name", STRESS)
def test_differences_know_their_own_error(name):
    phi, slope = STRESS[name]
    noise = 8 * np.nan_to_num(measured_noise(phi, 1.0)) + 1e-15 * abs(phi(0.0))
    found = central(phi, 1.0, noise)
    assert abs(found.value - slope) <= found.error < 0.1 * max(abs(slope), 1)
    left, right = Ray(phi, 1.0, noise).sides(8)
    assert abs(left.value - slope) <= left.error
    assert abs(right.value - slope) <= right.error


def _relu(x, at_kink):
    return np.maximum(x, 0).sum(), np.where(x.real == 0, at_kink, x.real > 0)


def _clip(x, at_kink):
    return np.clip(x, 0, 1).sum(), np.where((x.real == 0) | (x.real == 1), at_kink, (x.real > 0) & (x.real < 1))


@pytest.mark.parametrize("f", [_relu, _clip])
@pytest.mark.parametrize("size", [6, 900])
@pytest.mark.parametrize("method", ["auto", "differences"])
def test_kinks_of_numpy_take_any_slope_between_and_no_other(f, size, method):
    x = np.resize([0.0, 1.0, -1.0, -0.0, 0.5, 2.0], size)
    for at_kink in (0.0, 0.5, 1.0):
        report = check_gradient(lambda x, a=at_kink: f(x, a), x, method=method)
        assert report
    assert "its convention is 'right'" in str(check_gradient(lambda x: _relu(x, 1.0), x, method=method))
    assert not check_gradient(lambda x: f(x, 1.5), x, method=method)
    assert not check_gradient(lambda x: (f(x, 0.5)[0], 1.01 * f(x, 0.5)[1]), x, method=method)
    assert not check_gradient(lambda x: f(x, 1.0), x, method=method, convention="mean")
    assert check_gradient(lambda x: f(x, 0.5), x, method=method, convention="mean")


def test_a_back_is_given_every_layout_of_its_input():
    X = generator(5).standard_normal((3, 4))
    in_order = check_gradient(lambda X: (2 * X, lambda dY: 2 * np.frombuffer(dY.tobytes("A")).reshape(3, 4)), X)
    assert "Fortran-ordered dY" in str(in_order)

    def writes(X):
        return 2 * X, lambda dY: np.multiply(dY, 2, out=dY)

    assert "back changed dY" in str(check_gradient(writes, X))
    assert check_gradient(lambda x: (x * x, lambda dY: 2 * x * dY), np.array(3.0))  # dY has no axis
    assert check_gradient(lambda x: (math.fsum(x.real**2), lambda dY: 2 * dY * x), X[0])


REFUSED = {
    "a list of numbers": (lambda x: ((x * x).sum(), 2 * x), [1.0, 2.0], "argument x is a list of numbers"),
    "None for a value": (lambda x: (None, 2 * x), np.ones(2), "the value that f returns is None"),
    "None for a gradient": (lambda x: ((x * x).sum(), None), np.ones(2), "the gradient of x is None"),
    "a value alone": (lambda x: (x * x).sum(), np.ones(2), "float64 float64 \\(\\) alone; expected \\(value, grad"),
    "an array of two": (lambda x: x * x, np.ones(2), "a ndarray float64 \\(2,\\) alone; expected \\(value, gradients"),
    "complex": (lambda x: ((x * x).sum(), 2 * x + 1j), np.ones(2), "the gradient of x is complex"),
    "a masked array": (lambda x: ((x * x).sum(), 2 * x), np.ma.ones(2), "argument x is a MaskedArray"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_in_one_sentence(name):
    f, x, words = REFUSED[name]
    with pytest.raises(TypeError, match=words):
        check_gradient(f, x)


@pytest.mark.parametrize("right", [1.0, 1.001])
def test_a_precision_is_checked_within_its_own_rounding(right):
    def layer(X, W):
        Y = np.tanh(X @ W)
        return Y, lambda dY: ((dY * (1 - Y * Y)) @ W.T * right, X.T @ (dY * (1 - Y * Y)))

    X, W = generator(6).standard_normal((20, 8)), generator(7).standard_normal((8, 5))
    report = check_gradient(layer, X, W, dtype=np.float32)
    assert bool(report) == (right == 1.0)
    assert "gradients in float32" in str(report)
    assert report.error > 1e-9
    assert "float64" in str(check_gradient(lambda x: ((x * x).sum(), 2 * x), X.astype(np.float32)))


@pytest.mark.parametrize("wrong", [1.0, 1.1, -1.0])
def test_a_gradient_of_a_hundred_numbers_costs_at_most_two_thousand_calls(wrong):
    calls = []

    def loss(x):
        calls.append(1)
        return math.fsum(np.sin(x)) + math.fsum(x * x), wrong * (np.cos(x) + 2 * x)

    assert bool(check_gradient(loss, generator(0).standard_normal(100), method="differences")) == (wrong == 1.0)
    assert len(calls) <= 2000


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_no_size_is_too_large_or_too_small(size):
    x = generator(8).standard_normal(5)
    f = lambda x, wrong=1.0: (size * np.sin(x).sum(), wrong * size * np.cos(x))  # noqa: E731
    assert check_gradient(f, x)
    assert not check_gradient(lambda x: f(x, 1 + 1e-9), x)


def _every_winner(x, dY=1.0):
    return x.max(), dY * (x == x.max())


TIES = {  # each entry lies between its two slopes, and together they count what is one kink twice
    "max": (_every_winner, np.array([1.0, 2.0, 2.0])),
    "min of rows": (lambda x: (x.min(1), lambda dY: dY[:, None] * (x == x.min(1, keepdims=True))), np.zeros((3, 2))),
    "distance": (lambda x, y: (abs(x - y).sum(), (np.sign(x - y) + (x == y),) * 2), np.ones(3), np.ones(3)),
    "maximum": (lambda x, y: (np.maximum(x, y).sum(), ((x >= y) * 1.0, (y >= x) * 1.0)), np.ones(3), np.ones(3)),
}


@pytest.mark.parametrize("name", TIES)
def test_a_tie_is_counted_once(name):
    f, *arrays = TIES[name]
    report = check_gradient(f, *arrays)
    assert report.verdict == "wrong", report
    assert "a tie" in str(report)


def test_a_tie_may_go_to_anyone():
    """The first winner, equal parts, and kinks that have nothing to do with each other."""
    rng = generator(3)
    a, b = rng.standard_normal((2, 5))
    x = np.array([1.0, 2.0, 2.0])

    def shared(x):
        return x.max(), (x == x.max()) / (x == x.max()).sum()

    def absolute(x, y):
        return abs(x - y).sum(), (np.sign(x - y), np.sign(y - x))

    def crossed(x):
        return a @ np.maximum(x, 0) + b @ np.minimum(x, 0), a * (x > 0) + b * (x < 0)

    for f, *arrays in (
        (lambda x: (x.max(), np.eye(3)[x.argmax()]), x),
        (shared, x),
        (lambda x, y: (np.maximum(x, y).sum(), ((x >= y) * 1.0, (y > x) * 1.0)), np.ones(3), np.ones(3)),
        (absolute, np.ones(3), np.ones(3)),
        (crossed, np.zeros(5)),
        (lambda x: (np.maximum(x, 0).sum() + np.maximum(-x, 0).sum() / 2, (x > 0) - (x < 0) / 2), np.zeros(4)),
        (lambda w: ((w * w).sum() ** 0.5, w / max(1e-300, (w.real * w.real).sum() ** 0.5)), np.zeros(4)),
    ):
        report = check_gradient(f, *arrays)
        assert "a tie" not in str(report), report
        assert f is crossed or report, report
