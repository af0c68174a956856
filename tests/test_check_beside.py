"""What is right at one point only is not confirmed: chance, caches, clipped ways back; nor what noise hides."""

import numpy as np
import pytest

from npnet.arrays import generator
from npnet.check import check_gradient

X = generator(1).standard_normal(5)
ONES = np.ones(5)


def _cached(slope):
    kept = []

    def f(w):
        kept.append(slope(w.real)) if not kept else None
        return (w**4).sum(), kept[0].copy()

    return f


BY_CHANCE = {
    "another power at 1": (lambda w: ((w**3).sum(), 3 * w**5), ONES),
    "a scale of 1 forgotten": (lambda g: ((g * g * X).sum(), 2 * X * np.ones(g.shape)), ONES),
    "a shift of 0 forgotten": (lambda b: (((b + X) ** 2).sum(), 2 * X + 0 * b), np.zeros(5)),
    "two arguments alike": (
        lambda a: ((a[0] ** 2 * a[1]).sum(), np.stack([2 * a[0] * a[1], a[1] ** 2])),
        np.ones((2, 3)),
    ),
    "kept from the first call": (_cached(lambda w: 4 * w**3), X),
    "right at these bits": (lambda w: ((w * w).sum(), 2 * w if np.array_equal(w.real, X) else 3 * w), X),
}


@pytest.mark.parametrize("method", ["auto", "differences"])
@pytest.mark.parametrize("name", BY_CHANCE)
def test_right_by_chance_is_not_confirmed(name, method):
    f, x = BY_CHANCE[name]
    report = check_gradient(f, x, method=method)
    assert not report
    assert "beside" in report.complaints[0]


RIGHT = {
    "at 1": (lambda w: ((w**3).sum(), 3 * w**2), ONES),
    "linear": (lambda w: ((w * X).sum(), X), ONES),
    "with kinks all around": (
        lambda w: (abs(np.sin(40 * w.real)).sum(), 40 * np.cos(40 * w.real) * np.sign(np.sin(40 * w.real))),
        X,
    ),
    "on a narrow domain": (
        lambda w: (np.sqrt(1e-3 - (w - 1) ** 2).sum(), -(w - 1) / np.sqrt(1e-3 - (w - 1) ** 2)),
        ONES + 1e-3,
    ),
    "of numbers of all sizes": (lambda w: (np.log(w).sum(), 1 / w), 10.0 ** np.arange(-8, 9, 2)),
    "single precision inside": (
        lambda w: (np.tanh(w.real.astype(np.float32)).astype(float), lambda dY: dY / np.cosh(w.real) ** 2),
        X,
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_everywhere_is_confirmed(name):
    f, x = RIGHT[name]
    assert check_gradient(f, x)
    assert check_gradient(f, x, method="differences")


def test_a_tolerance_counts_beside_the_point_too():
    near = lambda w: ((w**3).sum(), 3 * w**2 * (1 + 1e-3 * (w - 1)))  # noqa: E731
    assert not check_gradient(near, ONES)
    assert check_gradient(near, ONES, tolerance=1e-3)


@pytest.mark.parametrize(
    "spoil",
    [lambda d: np.clip(d, -10, 10), lambda d: np.where(abs(d) < 1e-3, 0, d), lambda d: d * abs(d) / (abs(d) + 1e-12)],
)
def test_a_way_back_is_linear_at_every_size(spoil):
    report = check_gradient(lambda w: (w * w, lambda dY: 2 * w * spoil(dY)), X)
    assert "not linear" in str(report)


def test_a_mask_is_a_slope_and_a_refusal_is_no_fault():
    assert check_gradient(lambda w: (np.maximum(w, 0).sum(), w.real > 0), X)
    assert not check_gradient(lambda w: (np.maximum(w, 0).sum(), w.real > 0.5), X)

    def writable(w):
        def back(dY):
            if not dY.flags.writeable or not dY.flags.c_contiguous:
                raise ValueError("buffer source array is read-only")
            return 2 * w * dY

        return w * w, back

    report = check_gradient(writable, X)
    assert report
    assert "back refuses a read-only dY" in str(report)


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e12, 1e16])
def test_a_slope_that_is_lost_in_its_value_is_not_confirmed(offset):
    f = lambda w: (offset + (np.sin(w) ** 2).sum(), 1.001 * np.sin(2 * w))  # noqa: E731
    found = check_gradient(f, X, method="differences").verdict
    assert found == "wrong" if offset < 1e7 else found in ("undecided", "nothing seen")


def test_small_entries_beside_large_ones_are_counted():
    report = check_gradient(
        lambda w: (w @ w, 2 * w * np.array([1.0, 1.01])), np.array([1e8, 1.0]), method="differences"
    )
    assert "1 entries that are zero or smaller than what is seen" in str(report)
