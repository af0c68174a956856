"""Progress and pictures: what is shown of a run, and what the pictures are made of."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from test_training import blobs, network

import npnet
from npnet import progress
from npnet.arrays import generator
from npnet.run import Run, TrainingJob

matplotlib = pytest.importorskip("matplotlib")
from npnet import plot  # noqa: E402


def trained(policy=None, epochs=6, evaluations=True):
    run = Run(network(), generator(1))
    settings = npnet.Hyperparameters(rate=0.1, max_epochs=epochs, policy=policy or npnet.FineTuning())
    list(npnet.train(run, {"a": blobs()}, settings, {"old": ("a", blobs().test)} if evaluations else None))
    return run


def joins(history, depth):
    return (0.0,) * max(0, depth - len(history) // 2) + (1.0,) * (1 + min(depth, len(history) // 2))


def test_curves_are_the_errors_of_the_records_with_marks_where_layers_join():
    run = trained(joins)
    (axes,) = plot.learning_curves(run).axes
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines["a, validation"].get_ydata()) == [r["validation"]["a"] for r in run.history]
    assert list(lines["old, evaluation"].get_ydata()) == [r["evaluations"]["old"] for r in run.history]
    assert plot.joining(run.history) == [(1, 1), (3, 2), (5, 3)]
    marks = sorted(line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":")
    assert marks == [0.5, 2.5, 4.5]
    errors = [r["error"] for r in run.history]
    (best,) = (line for label, line in lines.items() if label.startswith("best"))
    assert list(best.get_xdata()) == [1 + errors.index(min(errors))]
    assert plot.joining(trained().history) == []
    assert len(plot.learning_curves(run.history).axes) == 1


def test_weights_are_drawn_as_images_in_the_order_of_units():
    net = npnet.mlp((12, 5), {"a": 2}, generator(0))
    grid = plot.first_layer(net, shape=(3, 4)).axes
    images = [axes.images[0].get_array() for axes in grid if axes.images]
    assert len(images) == 5
    for k, image in enumerate(images):
        assert np.array_equal(image, net.trunk[0]["W"][:, k].reshape(3, 4))
    assert len([axes for axes in plot.first_layer(net, 2, (3, 4)).axes if axes.images]) == 2


def test_confusions_count_every_example_once():
    run, task = trained(), blobs()
    counts = plot.confusions(run.network, "a", task.test)
    assert counts.sum() == len(task.test)
    assert counts.sum(1).tolist() == np.bincount(task.test.labels, minlength=3).tolist()
    wrong = 100 * (1 - np.trace(counts) / counts.sum())
    assert wrong == pytest.approx(npnet.error(run.network, "a", task.test))
    (axes,) = plot.confusion(run.network, "a", task.test, ["ant", "bee", "cat"]).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["ant", "bee", "cat"]
    assert {text.get_text() for text in axes.texts} == {str(n) for n in counts.ravel() if n}


def test_estimators_are_drawn_as_runs_are():
    pytest.importorskip("sklearn")
    from npnet.sklearn import MLPClassifier

    task = blobs()
    X, y = task.train.inputs, np.array(["ant", "bee", "cat"])[task.train.labels]
    until = {"callbacks": (lambda estimator, record: record["epoch"] == 3,), "random_state": 0}
    clf = MLPClassifier((9,), early_stopping=True, **until).fit(X, y)
    second = clf.transfer("gradual", early_stopping=False).fit(X, y, X_old=X, y_old=y)
    lines = {line.get_label(): list(line.get_ydata()) for line in plot.learning_curves(clf).axes[0].lines}
    assert lines["task, validation"] == [entry["validation_error"] for entry in clf.history_]
    left, right = plot.learning_curves(second).axes  # a loss and an error have two scales
    assert list(left.lines[0].get_ydata()) == second.loss_curve_
    assert list(right.lines[0].get_ydata()) == [entry["old_error"] for entry in second.history_]
    assert [left.get_ylabel(), right.get_ylabel()] == ["loss", "error, %"]
    assert len(left.get_legend().get_texts()) == 3
    (axes,) = plot.old_against_new({"gradual": second}).axes
    assert list(axes.lines[0].get_ydata()) == [entry["old_error"] for entry in second.history_]
    (axes,) = plot.confusion(clf, X, y).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["ant", "bee", "cat"]
    counts = plot.confusions(clf.network_, "task", npnet.Split(X, task.train.labels))
    assert {text.get_text() for text in axes.texts} == {str(n) for n in counts.ravel() if n}
    image = next(axes.images[0] for axes in plot.first_layer(clf, shape=(2, X.shape[1] // 2)).axes if axes.images)
    assert np.array_equal(image.get_array().ravel(), clf.coefs_[0][:, 0])


def test_old_is_drawn_against_new():
    run = trained()
    (axes,) = plot.old_against_new({"fine": run}, "old").axes
    assert list(axes.lines[0].get_xdata()) == [r["error"] for r in run.history]
    assert list(axes.lines[0].get_ydata()) == [r["evaluations"]["old"] for r in run.history]


def test_what_cannot_be_drawn_is_named(tmp_path):
    for made, message in (
        (lambda: plot.learning_curves([]), "run has no epoch yet"),
        (lambda: plot.first_layer(network()), r"shape is \(2, 2\); expected rows and columns of 6 inputs"),
        (lambda: plot.first_layer(npnet.mlp((4,), {"a": 2}, generator(0))), "network has no hidden layer"),
        (lambda: plot.old_against_new({"x": trained(evaluations=False)}, "old"), "old is 'old'; expected one of the"),
        (lambda: plot.confusion(network(), "a", npnet.Split(np.zeros((2, 6)), np.zeros((2, 3)))), "split has values"),
    ):
        with pytest.raises(ValueError, match=message):
            made()
    plot.learning_curves(trained()).savefig(tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 5000


def test_nothing_of_matplotlib_or_rich_is_imported_before_it_is_needed():
    program = (
        "import sys, npnet, npnet.plot, npnet.progress; "
        "assert not {'matplotlib', 'rich'} & set(sys.modules), 'imported too early'"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_progress_yields_the_same_records_and_says_errors_mask_and_time(capsys):
    pytest.importorskip("rich")
    settings = npnet.Hyperparameters(rate=0.1, max_epochs=5, policy=joins)
    quiet, shown = Run(network(), generator(1)), Run(network(), generator(1))
    expected = list(npnet.train(quiet, {"a": blobs()}, settings))
    assert list(npnet.train(shown, {"a": blobs()}, settings, progress=True)) == expected
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"epoch 1  a {expected[0]['validation']['a']:.3g} %  □□■")
    assert lines[-1].startswith(f"epoch 5  a {expected[4]['validation']['a']:.3g} %  ■■■  0 s left")


def test_progress_on_a_terminal_leaves_it_in_order(monkeypatch, capsys):
    pytest.importorskip("rich")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    run = Run(network(), generator(1))
    epochs = npnet.train(run, {"a": blobs()}, npnet.Hyperparameters(max_epochs=5), progress=True)
    next(epochs)
    epochs.close()
    assert "epoch 1" in capsys.readouterr().err


def test_the_time_left_follows_from_patience_or_from_the_epochs():
    job = TrainingJob(Run(network(), generator(1)), {"a": blobs()}, npnet.Hyperparameters(max_epochs=9, patience=3))
    job.run.mask = (1.0, 1.0, 1.0)
    job.run.history += [{"validation": {"a": e}, "error": e, "mask": [1, 1, 1]} for e in (3.0, 2.0, 2.5)]
    assert progress.epochs_left(job) == 2
    job.settings = npnet.Hyperparameters(max_epochs=9, patience=None)
    assert progress.epochs_left(job) == 6
    job.settings = npnet.Hyperparameters(max_epochs=9, patience=3, policy=npnet.GradualTuning())
    job.run.mask = (0.0, 1.0, 1.0)
    assert progress.epochs_left(job) == 6
    job.run.finished = True
    assert progress.epochs_left(job) == 0


def test_masks_are_shown_in_signs_and_times_in_hours():
    assert progress.layers_of([0.0, {"b": 1.0}, 0.5, 1.0]) == "□▪▪■"
    assert [progress._duration(s) for s in (3.4, 75, 3725)] == ["3 s", "0:01:15", "1:02:05"]


def test_without_rich_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    with pytest.raises(ImportError, match=r"progress=True needs rich: pip install 'npnet-transfer\[progress\]'"):
        progress.Progress(SimpleNamespace())
