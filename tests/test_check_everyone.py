"""The checker for everyone: its command, its pytest plugin, layers with state, and what else can be handed over."""

import json
import subprocess
import sys
import warnings
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from npnet.arrays import generator
from npnet.check import check_gradient, stateful
from npnet.check.__main__ import main

pytest_plugins = ["pytester"]
X, W = generator(0).standard_normal((5, 3)), generator(1).standard_normal((3, 2))

MODULE = """
import numpy as np

RNG = np.random.default_rng(0)


def right(w=np.ones(3)):
    return (w * w).sum(), 2 * w


def wrong(w=np.ones(3)):
    return (w * w).sum(), w


def zero(w=np.ones(3)):
    return (0 * w).sum(), 0 * w


def noisy(w=np.ones(3)):
    return (w.real * w.real + 0.1 * np.sin(1e12 * w.real)).sum(), 2 * w


def absolute(w=np.zeros(2)):
    return abs(w).sum(), np.sign(w.real) + (w == 0)


def layer(X, p):
    return X @ p["W"] + p["b"], lambda dY: (dY @ p["W"].T, {"W": X.T @ dY, "b": dY.sum(0)})


def raises(w=np.ones(3)):
    raise RuntimeError("no such " + chr(27) + " thing")


def point():
    return {"X": RNG.standard_normal((4, 3)), "p": {"W": RNG.standard_normal((3, 2)), "b": np.ones(2)}}


PAIR = np.array([[1.0, 2.0]]), {"W": np.ones((2, 2)), "b": np.ones(2)}


class Loss:
    right = staticmethod(right)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    name = f"mine_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return name


@pytest.mark.parametrize(
    ("functions", "code"),
    [
        (["right"], 0),
        (["Loss.right"], 0),
        (["wrong"], 1),
        (["zero"], 2),
        (["noisy"], 2),
        (["raises"], 3),
        (["layer"], 3),  # it has no default values
        (["nothing"], 3),
        (["right", "zero"], 2),
        (["zero", "wrong", "right"], 1),
        (["wrong", "raises"], 3),
    ],
)
def test_the_exit_code_says_what_was_found(folder, functions, code, capsys):
    assert main([f"{folder}:{name}" for name in functions]) == code
    printed = capsys.readouterr().out
    assert all(f"{folder}:{name}" in printed for name in functions)


def test_arguments_come_from_files_and_functions(folder, capsys):
    np.savez("p.npz", **{"X": X, "p/W": W, "p/b": W[0]})
    np.savez("one.npz", X[0])
    np.savez("fewer.npz", **{"p/W": W, "p/b": W[0]})
    assert main([f"{folder}:layer", "--args", "p.npz"]) == 0
    assert "p/b (2,)" in capsys.readouterr().out
    assert main([f"{folder}:layer", "--args", f"{folder}:point"]) == 0
    assert main([f"{folder}:layer", "--args", f"{folder}:PAIR"]) == 0
    assert main([f"{folder}:right", "--args", "one.npz"]) == 0
    for source, words in (("fewer.npz", "has p; expected X, p"), ("none.npz", "No such file"), ("p", "no module:fun")):
        capsys.readouterr()
        assert main([f"{folder}:layer", "--args", source]) == 3
        assert words in capsys.readouterr().out


def test_options_are_those_of_the_check(folder, capsys):
    assert main([f"{folder}:absolute"]) == 0
    assert main([f"{folder}:absolute", "--convention", "smallest"]) == 1
    assert main([f"{folder}:absolute", "--check", "kinks"]) == 1
    assert main([f"{folder}:absolute", "--check", "kinks", "--convention", "right"]) == 0
    assert main([f"{folder}:wrong", "--tolerance", "0.6"]) == 0
    assert main([f"{folder}:right", "--method", "differences", "--dtype", "float32"]) == 0
    assert main([f"{folder}:right", "--check", "hessian", "--seed", "3"]) == 0
    for bad in (["--check", "kinks", "--tolerance", "1"], ["--format", "html"], []):
        with pytest.raises(SystemExit) as stopped:
            main([*([f"{folder}:right"] if bad else []), *bad])
        assert stopped.value.code == 3
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    assert "exit code is 0 if every gradient is confirmed" in capsys.readouterr().out


def test_json_has_the_verdict_and_the_numbers(folder, capsys):
    main([f"{folder}:{name}" for name in ("wrong", "zero", "raises")] + ["--format", "json"])
    wrong, zero, raises = json.loads(capsys.readouterr().out)
    assert (wrong["verdict"], zero["verdict"], raises["verdict"]) == ("wrong", "nothing seen", "not checked")
    assert (wrong["lines"][0]["gradient"], wrong["lines"][0]["derivative"]) == (1, 2)
    assert "factor 2" in wrong["lines"][0]["likely"]
    assert "RuntimeError" in raises["reason"]


def test_junit_counts_failures_errors_and_what_was_not_seen(folder, capsys):
    names = ["right", "wrong", "zero", "raises"]
    assert main([*(f"{folder}:{name}" for name in names), "--format", "junit", "--out", "checks.xml"]) == 3
    assert f"{folder}:zero: nothing seen" in capsys.readouterr().out
    suite = ElementTree.parse("checks.xml").getroot()
    assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["4", "1", "1", "1"]
    cases = {case.get("name"): case for case in suite}
    assert cases["wrong"].find("failure").get("message") == "GRADIENT WRONG"
    assert "derivative 2" in cases["wrong"].find("failure").text
    assert cases["raises"].find("error") is not None
    assert cases["zero"].find("skipped") is not None
    assert [child.tag for child in cases["right"]] == ["system-out"]


def test_the_module_is_a_command(folder):
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "npnet.check", f"{folder}:wrong"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(root), "PATH": ""},
    )
    assert done.returncode == 1
    assert "GRADIENT WRONG" in done.stdout


# pytest ---------------------------------------------------------------------------------------------------------------

TESTS = """
import numpy as np
import pytest

w = np.array([1.0, -2.0, 0.0])


def test_right(check_gradient):
    assert check_gradient(lambda w: ((w * w).sum(), 2 * w), w).verdict == "confirmed"


def test_wrong(check_gradient):
    check_gradient(lambda w: ((w * w).sum(), w), w)


def test_nothing_seen(check_gradient):
    check_gradient(lambda w: (0 * w.sum(), 0 * w), w)


@pytest.mark.gradient(convention="smallest")
class TestMarked:
    def test_convention(self, check_gradient):
        check_gradient(lambda w: (abs(w).sum(), np.sign(w.real) + (w.real == 0)), w)

    def test_call_comes_first(self, check_gradient):
        check_gradient(lambda w: (abs(w).sum(), np.sign(w.real) + (w.real == 0)), w, convention="right")

    @pytest.mark.gradient(convention="right")
    def test_nearest_comes_first(self, check_gradient):
        check_gradient(lambda w: (abs(w).sum(), np.sign(w.real) + (w.real == 0)), w)
"""


def test_the_fixture_fails_with_a_short_text(pytester):
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_inprocess("-p", "pytest_npnet", "--strict-markers")
    result.assert_outcomes(passed=3, failed=3)
    result.stdout.fnmatch_lines(["*GRADIENT WRONG", "*w at (1,): gradient -2, derivative -4; likely: a factor 2*"])
    result.stdout.fnmatch_lines(["*nothing to see at this point*"])
    shown = result.stdout.str()
    assert "def confirmed" not in shown  # the plugin's own lines are hidden
    assert "units in the last place" not in shown
    pytester.runpytest_inprocess("-p", "pytest_npnet", "-m", "gradient").assert_outcomes(
        passed=2, failed=1, deselected=3
    )


def test_the_plugin_costs_nothing_where_it_is_not_used():
    code = "import sys, pytest_npnet; print('npnet' in sys.modules or 'numpy' in sys.modules)"
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "False"


# Layers with state ----------------------------------------------------------------------------------------------------


class Dense:
    """A layer as many write it: parameters, inputs and gradients are attributes."""

    def __init__(self):
        self.W, self.b = W.copy(), W[0].copy()

    def forward(self, X):
        self.X = X
        self.Y = np.tanh(X @ self.W + self.b)
        return self.Y

    def backward(self, dY, wrong=1.0):
        dZ = dY * (1 - self.Y * self.Y)
        self.dW, self.db = self.X.T @ dZ * wrong, dZ.sum(0)
        return dZ @ self.W.T

    def get(self):
        return {"W": self.W, "b": self.b}

    def set(self, p):
        self.W, self.b = p["W"], p["b"]


@pytest.mark.parametrize("wrong", [1.0, 1 + 1e-4])
def test_a_layer_with_state_is_checked_and_left_as_it_was(wrong):
    layer = Dense()

    def backward(dY):
        return layer.backward(dY, wrong), {"W": layer.dW, "b": layer.db}

    report = check_gradient(stateful(layer.forward, backward, layer.get, layer.set), X, layer.get())
    assert bool(report) == (wrong == 1.0)
    assert [line.parameter for line in report.lines if line.wrong] == ([] if report else ["p/W"])
    assert np.array_equal(layer.W, W)
    assert np.array_equal(layer.b, W[0])


def test_without_it_the_same_layer_is_found_to_keep_a_state():
    layer = Dense()

    def f(X):
        return layer.forward(X), layer.backward

    assert "called with other arguments" in str(check_gradient(f, X))


def test_the_state_is_put_back_after_an_exception():
    layer = Dense()
    f = stateful(layer.forward, layer.backward, layer.get, layer.set)
    with pytest.raises(ValueError, match="matmul"):
        f(X[:, :2], {"W": 2 * W, "b": W[0]})
    assert np.array_equal(layer.W, W)


# What is handed over and back ----------------------------------------------------------------------------------------


def _square(x):
    return (x * x).sum(), 2 * x


def _pandas():
    return pytest.importorskip("pandas")


def _sparse(a):
    return pytest.importorskip("scipy.sparse").csr_array(a)


REFUSED = {
    "a list of numbers": (
        lambda: (_square, [1.0, 2.0]),
        "argument x is a list of numbers; expected an array, np.array",
    ),
    "a list in a dict": (
        lambda: (lambda p: _square(p["w"]), {"w": [1.0, 2.0]}),
        "argument p/w is a list of numbers; expected an array",
    ),
    "integers": (lambda: (_square, np.arange(3)), "argument x is a ndarray int64 \\(3,\\); expected a real float"),
    "complex numbers": (
        lambda: (_square, np.ones(2) * 1j),
        "argument x is a ndarray complex128 \\(2,\\); expected a real",
    ),
    "text": (lambda: (_square, "w"), "argument x is a str; expected a real float array"),
    "None": (lambda: (_square, None), "argument x is None; expected a real float array"),
    "a Series": (
        lambda: (_square, _pandas().Series([1.0, 2.0])),
        "argument x is a Series .*, as its to_numpy\\(\\) ret",
    ),
    "a DataFrame": (lambda: (_square, _pandas().DataFrame({"a": [1.0]})), "argument x is a DataFrame.*to_numpy"),
    "a sparse matrix": (
        lambda: (_square, _sparse(np.eye(2))),
        "argument x is a sparse csr_array .*, as its toarray\\(\\)",
    ),
    "a sparse gradient": (
        lambda: (lambda x: (x.sum(), _sparse(np.eye(2))), np.eye(2)),
        "gradient of x is a sparse csr_",
    ),
    "a Series for a gradient": (
        lambda: (lambda x: (x.sum(), _pandas().Series([1.0, 1.0])), np.ones(2)),
        "the gradient of x is a Series float64 \\(2,\\); expected an array",
    ),
    "None for one gradient": (
        lambda: (lambda x: (x["a"].sum(), {"a": None}), {"a": np.ones(2)}),
        "gradient of x/a is None",
    ),
    "a value alone": (lambda: (lambda x: x.sum(), np.ones(2)), "f returns a .* alone; expected \\(value, gradients\\)"),
    "None alone": (lambda: (lambda x: None, np.ones(2)), "f returns None alone; expected \\(value, gradients\\) or"),
    "three things": (
        lambda: (lambda x: (x.sum(), x, x), np.ones(2)),
        "f returns a tuple alone; expected \\(value, gradi",
    ),
    "several outputs in a list": (
        lambda: (lambda x: ([x, x], lambda dY: dY), np.ones(2)),
        "the value that f returns is a list; expected a number or an array",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_in_one_sentence(name):
    make, words = REFUSED[name]
    f, x = make()
    with pytest.raises(TypeError, match=words) as refused:
        check_gradient(f, x)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 160


@pytest.mark.parametrize("wrong", [1.0, 1 + 1e-4])
def test_batches_several_outputs_and_directions(wrong):
    batch = lambda X: ((X * X).sum(1), 2 * X * wrong)  # noqa: E731, a stack of independent values
    assert bool(check_gradient(batch, X)) == (wrong == 1.0)

    def several(X, W):  # a matrix of outputs
        return X @ W, lambda dY: (dY @ W.T, wrong * X.T @ dY)

    assert bool(check_gradient(several, X, W)) == (wrong == 1.0)
    tangents = [np.array([1.0, -1.0, 0.0]), np.array([0.0, 1.0, -1.0])]
    entropy = lambda p: (-(p * np.log(p)).sum(), -wrong * np.log(p) + 7)  # noqa: E731, on the simplex 7 is not seen
    assert bool(check_gradient(entropy, np.array([0.2, 0.3, 0.5]), directions=tangents)) == (wrong == 1.0)


def test_a_value_that_is_kept_by_one_of_its_arguments_is_found():
    kept = {}

    def f(a, b):
        key = a.tobytes()
        if key not in kept:
            kept[key] = (a * b).sum()
        return kept[key] + (b * b).sum(), (b + 0.0, 2 * b)

    report = check_gradient(f, X[0], W[:, 0])
    assert report.verdict == "wrong"
    assert "each gradient is right as long as the other arguments stay" in str(report)
    assert check_gradient(lambda a, b: ((a * b).sum() + (b * b).sum(), (b + 0.0, a + 2 * b)), X[0], W[:, 0])


@pytest.mark.parametrize("method", ["auto", "differences"])
def test_arguments_that_move_together_raise_no_alarm_at_kinks(method):
    def f(a, b):  # kinks that are convex in a and concave in b
        return np.maximum(a, 0).sum() - np.maximum(b, 0).sum() + (a * b).sum(), (
            1.0 * (a.real > 0) + b,
            a - (b.real >= 0),
        )

    assert check_gradient(f, np.array([0.0, 1.0, -1.0, 0.0]), np.array([0.0, 0.0, 2.0, -1.0]), method=method)


def test_what_a_function_says_is_told_on_one_short_line():
    """Some packages raise and warn in many lines."""
    long = "Invalid operation is performed in: Sum (Forward)\n\nExpect: x.dtype.kind == f\nActual: c != f\n" + 99 * "é "

    def f(w):
        if np.iscomplexobj(w):
            raise TypeError(long)
        warnings.warn(long, stacklevel=1)

        def back(dY):
            if not dY.flags.writeable:
                raise ValueError(long)
            return 2 * w * dY

        return w * w, back

    report = check_gradient(f, np.array([0.3, 0.7]))
    assert report.verdict == "confirmed"
    assert len(report.notes) == 3
    for note in report.notes:
        assert "\n" not in note and len(note) < 300, note  # noqa: PT018
        assert "Error: Invalid operation is performed in: Sum (Forward) Expect: " in note.replace("Warning:", "Error:")


def test_too_few_gradients_are_told_with_their_shapes():
    """A list is a tree of arrays here, and one gradient for all of it does not fit."""
    with pytest.raises(
        ValueError, match=r"gradients are 1 array of shape \(3,\); expected 3 arrays, one for each array"
    ):
        check_gradient(
            lambda x: (sum(v * v for v in x), np.array([2 * v for v in x])), [np.array(v) for v in (0.2, 0.5, 0.3)]
        )
    with pytest.raises(
        ValueError, match=r"gradients are 3 arrays of shapes \(2,\), \(2,\) and \(2,\); expected 2 arrays"
    ):
        check_gradient(lambda a, b: ((a * b).sum(), (b, a, a)), np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="gradients are 0 arrays; expected 2 arrays, one for each array"):
        check_gradient(lambda a, b: ((a * b).sum(), ()), np.ones(2), np.ones(2))
