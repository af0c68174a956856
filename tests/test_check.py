"""The check itself: it confirms what is right, and finds and names what is wrong, however small."""

import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npnet.activations import ACTIVATIONS
from npnet.arrays import generator
from npnet.check import check_convex, check_gradient, check_hessian, check_kinks
from npnet.proofs.catalogue import cases, kinked_cases
from npnet.proofs.path_cases import arctan
from npnet.proofs.planting import plant
from npnet.trees import leaves

CASES = [case.name for case in cases()]


@cache
def catalogue(seed, xp=np):
    """Return the cases of a seed, made once for all tests of a process: a check moves no argument."""
    return tuple(cases(seed, xp))


@pytest.mark.parametrize("number", range(len(CASES)), ids=CASES)
def test_gradient(xp, number):
    for seed in (0, 1) if xp is np else (0,):  # on another module other numbers would show nothing new
        case = catalogue(seed, xp)[number]
        report = check_gradient(case.f, *case.arguments)
        assert report
        for line in report.lines:  # values and slopes are of size 1: a small slope is as exact as the others
            assert line.error < 2e-12 or abs(line.gradient - line.derivative) < 1e-13


@pytest.mark.parametrize("number", range(len(CASES)), ids=CASES)
def test_one_part_in_ten_thousand_in_any_one_gradient_is_seen(number):
    case, error = catalogue(2)[number], (1e-4, -1e-4)[number % 2]
    gradients = case.f(*case.arguments)[1]
    gradients = gradients(1.0 + 0 * case.f(*case.arguments)[0]) if callable(gradients) else gradients
    for parameter, (_, g) in enumerate(leaves(gradients)):
        if np.any(g):
            faulty = plant(case.f, parameter, error, seed=3)  # at a kink, what lies between the slopes is no error
            assert not check_gradient(faulty, *case.arguments, convention="branch")


@pytest.mark.parametrize("seed", range(4))
def test_kinks_keep_the_convention_on_every_kind_of_array(xp, seed):
    for case in kinked_cases(seed, xp):
        assert check_kinks(case.f, *case.arguments)
        if "relu" not in case.name:
            assert check_convex(case.f, *case.arguments)


def test_every_gradient_is_that_of_some_function(xp):
    for case in catalogue(0, xp)[:: 1 if xp is np else 5]:  # on other modules the same code runs: some of every kind
        report = check_hessian(case.f, *case.arguments)
        assert report
        assert not report.notes


@given(
    size=st.integers(1, 40),
    where=st.integers(0, 10**6),
    entry=st.sampled_from([0.0, 1e-6, -1e-3, 0.01, -0.1, 1.0, 3.0]),
    planted=st.floats(1e-8, 1e-2),
)
def test_a_wrong_entry_is_named_however_small_it_is(size, where, entry, planted):
    w = generator(size, "w").standard_normal((size, 30))
    index = np.unravel_index(where % w.size, w.shape)
    w[index] = entry

    def half_square(w):
        gradient = w.copy()
        gradient[index] += planted
        return (w * w).sum() / 2, gradient

    report = check_gradient(half_square, w)
    assert not report
    line = report.lines[0]
    assert line.index == index
    assert line.parameter == "w"
    assert line.derivative == pytest.approx(entry, rel=1e-12)
    assert line.gradient == pytest.approx(entry + planted, rel=1e-12)
    floor = 1e-3 * abs(half_square(w)[1]).max()
    assert line.error == pytest.approx(planted / max(abs(entry), abs(entry + planted), floor), rel=1e-3)
    assert f"at {tuple(int(i) for i in index)}" in str(report)


@pytest.mark.parametrize("wrong", [0.0, 1e-4])
def test_a_way_back_is_checked_with_flags_or_without(wrong):
    def plain(X):
        return X * X, lambda dY: (2 + wrong) * X * dY

    def flagged(X):
        return X * X, lambda dY, inputs=True, parameters=True: (2 + wrong) * X * dY if inputs else None

    for f in (plain, flagged):
        assert bool(check_gradient(f, np.array([1.0, -2.0, 0.5]))) == (not wrong)


def test_faults_of_behaviour_are_reported():
    def writes(w):
        w *= 1.0 + 1e-9
        return (w * w).sum(), 2 * w

    assert "argument w was changed" in str(check_gradient(writes, np.ones(3)))
    calls = []

    def forgets(X):
        def back(dY):
            calls.append(1)
            return 2 * dY * (1 + 1e-15 * len(calls))

        return 2 * X, back

    assert "other bits" in str(check_gradient(forgets, np.ones(3)))


def test_bad_functions_and_arguments_are_refused():
    with pytest.raises(TypeError, match="float"):
        check_gradient(lambda w: (w.sum(), w), np.arange(3))
    with pytest.raises(ValueError, match="expected \\[\\(3,\\)\\] for w"):
        check_gradient(lambda w: (w.sum(), np.ones(2)), np.ones(3))
    with pytest.raises(ValueError, match="imaginary part of w"):
        check_gradient(lambda w: (w.real.sum(), np.ones(3)), np.ones(3), method="complex step")
    with pytest.raises(ValueError, match="imaginary part of w"):
        check_gradient(lambda w: ((w.real**2).sum(), 0 * w), np.ones(3), method="complex step")
    with pytest.raises(ValueError, match="method is 'guess'; expected one of auto, complex step, differences"):
        check_gradient(lambda w: ((w**2).sum(), 2 * w), np.ones(3), method="guess")


def test_functions_of_trees_and_of_nothing():
    assert check_gradient(
        lambda p: ((p["a"] * p["b"][0]).sum(), {"a": p["b"][0], "b": [p["a"]]}), {"a": np.ones(2), "b": [np.ones(2)]}
    )
    assert check_gradient(lambda w: (w.sum(), w), np.zeros((0, 3)))
    assert check_gradient(lambda w, v: (v.sum(), (0 * w, np.ones(2))), np.ones(3), np.ones(2))


def test_the_command_confirms_the_cases_that_are_asked_for():
    command = [sys.executable, "-m", "npnet.proofs", "--only", "l1, anchor"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    smooth, kinked = (sum("l1, anchor" in n for n in names) for names in (CASES, [c.name for c in kinked_cases()]))
    assert len(lines) == smooth + kinked + 2 == 10
    assert lines[-1] == "every gradient confirmed"
    for line in lines[1 : -1 - kinked]:
        worst, caught, asymmetry = line.split()[-3:]
        assert float(worst) <= 1e-11
        assert float(caught) <= 1e-4
        assert float(asymmetry) <= 1e-11
    assert sum("kinks, the first at" in line for line in lines) == kinked


def test_every_activation_is_proved_everywhere():
    for name in (*ACTIVATIONS, arctan.name):
        wanted = {name, f"network, {name}", *(f"input gradients, {name}, {depth}" for depth in (1, 2, 3))}
        activation = ACTIVATIONS.get(name, arctan)
        wanted |= set() if isinstance(activation.curvature, int) else {f"slope of {name}"}
        assert wanted <= set(CASES)
    assert len(set(CASES)) == len(CASES)
