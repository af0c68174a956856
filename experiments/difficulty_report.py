"""What the difficulty study found: a table, a figure, and the files that they are made from."""

from io import BytesIO
from pathlib import Path
from typing import Any

from rich.console import Console

from experiments.cells import Result
from experiments.desk import write_json
from experiments.difficulty import HIDDEN, PAPER_TRAIN, TASK, Trial
from experiments.folder import result_of
from experiments.published import published
from experiments.report import Grid, markdown, show
from experiments.results import Measurement, write_csv
from npnet.trees import write_atomically

__all__ = ["paper_error", "write_report"]

_SETTING = f"{TASK} {'-'.join(map(str, HIDDEN))}"
_COLOURS = {"none": "#000000", "l1": "#0072B2", "l1_twentieth": "#56B4E9", "dropout": "#D55E00"}


def paper_error(regularizer: str) -> float:
    """Return the paper's test error on the task after learning it, percent (table 3)."""
    name = "l1" if regularizer == "l1_twentieth" else regularizer
    return next(row.task_a_error_before for row in published() if (row.table, row.regularizer) == (3, name))


def write_report(configuration: dict[str, Any], folder: Path, out: Path, console: Console) -> None:
    """Print the table of what has finished in `folder`, and write results, table and figure to `out`."""
    trials = [Trial(**each) for each in configuration["trials"]]
    found = [(trial, result_of(folder, trial.name)) for trial in trials]
    ended = [(trial, result) for trial, result in found if result is not None]
    grid = _grid(ended)
    out.mkdir(parents=True, exist_ok=True)
    write_csv(out / "results.csv", Measurement._fields, [m for trial, result in ended for m in _numbers(trial, result)])
    curves = [
        (trial.name, each["epoch"], each["objective"], each["error"]) for trial, r in ended for each in r["history"]
    ]
    write_csv(out / "curves.csv", ("trial", "epoch", "objective", "validation_error"), curves)
    environments: list[dict[str, str]] = []
    for _, result in ended:
        if result["environment"] not in environments:
            environments.append(result["environment"])
    seconds = {trial.name: round(result["seconds"], 1) for trial, result in ended}
    write_json(out / "results.json", {**configuration, "environments": environments, "seconds": seconds})
    write_atomically(out / "table.md", markdown(grid).encode())
    _draw(ended, out / "difficulty.png")
    show(grid, console)


def _numbers(trial: Trial, result: Result) -> list[Measurement]:
    """Return the measurements of one trial."""
    numbers = {
        "test_error": result["errors"]["test"],
        "train_error": result["errors"]["train"],
        "epochs": len(result["history"]),
        "kept_epoch": result["kept_epoch"],
    }
    setting = f"{_SETTING} {trial.train} {trial.appearance}"
    return [Measurement("difficulty", setting, "scratch", trial.regularizer, 0, *each) for each in numbers.items()]


def _grid(ended: list[tuple[Trial, Result]]) -> Grid:
    """Return the table: a line a trial, the paper's error beside trials at the paper's size."""
    rows = []
    for trial, result in sorted(ended, key=lambda each: (-each[0].train, each[0].appearance != "calibrated")):
        paper = f"{paper_error(trial.regularizer):.1f}" if trial.train == PAPER_TRAIN else ""
        numbers = [f"{result['errors'][which]:.2f}" for which in ("test", "train")]
        epochs = [str(len(result["history"])), str(result["kept_epoch"])]
        rows.append([trial.appearance, f"{trial.train:,}", trial.regularizer, numbers[0], paper, numbers[1], *epochs])
    header = ["appearance", "stimuli", "regularizer", "test error", "paper", "training error", "epochs", "kept"]
    return Grid(f"{_SETTING}, errors in percent", header, rows)


def _draw(ended: list[tuple[Trial, Result]], path: Path) -> None:
    """Draw test error against training stimuli on the left, validation error against epochs on the right."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"font.size": 9, "axes.titlesize": 10}):
        figure = Figure((9.6, 4.4))
        left, right = figure.subplots(1, 2)
        _draw_sizes(left, ended)
        for trial, result in ended:
            if trial.appearance == "calibrated":
                errors = [record["error"] for record in result["history"]]
                style = {"color": _COLOURS[trial.regularizer], "alpha": 1.0 if trial.train == PAPER_TRAIN else 0.45}
                right.plot(range(1, len(errors) + 1), errors, linewidth=1.2, **style)
                right.annotate(
                    f"{trial.train:,}, {trial.regularizer}", (len(errors), errors[-1]), (3, 0), fontsize=8,
                    textcoords="offset points", va="center", **style,
                )  # fmt: skip
        right.set(xlabel="epoch", ylabel="validation error (%)", yscale="log", xlim=(0, right.get_xlim()[1] * 1.25))
        right.set_yticks([5, 10, 20, 40])
        right.yaxis.set_major_formatter("{x:g}")
        right.yaxis.set_minor_formatter("")
        right.set_title("calibrated appearance", loc="left", weight="bold")
        figure.tight_layout()
        content = BytesIO()
        figure.savefig(content, format="png", dpi=150)
    write_atomically(path, content.getvalue())


def _draw_sizes(panel: Any, ended: list[tuple[Trial, Result]]) -> None:
    """Draw the test errors of all trials: the calibrated appearance's joined by lines, the paper's as crosses."""
    for regularizer, colour in _COLOURS.items():
        points = sorted(
            (trial.train, result["errors"]["test"])
            for trial, result in ended
            if (trial.appearance, trial.regularizer) == ("calibrated", regularizer)
        )
        panel.plot(*zip(*points, strict=True) if points else ([], []), "o-", color=colour, label=f"here, {regularizer}")
        panel.plot([PAPER_TRAIN], [paper_error(regularizer)], "x", color=colour, markersize=9, markeredgewidth=2)
    others = [(trial, result["errors"]["test"]) for trial, result in ended if trial.appearance != "calibrated"]
    for trial, error in others:
        panel.plot([trial.train], [error], "o", color="0.6", markersize=4)
        panel.annotate(
            trial.appearance, (trial.train, error), (6, 0), fontsize=8, textcoords="offset points", va="center",
            color="0.35",
        )  # fmt: skip
    panel.plot([], [], "x", color="0.3", markersize=8, markeredgewidth=2, label="the paper")
    panel.set(xscale="log", yscale="log", xlabel="training stimuli", ylabel="test error (%)")
    panel.set_yticks([5, 10, 20, 40])
    panel.yaxis.set_major_formatter("{x:g}")
    panel.yaxis.set_minor_formatter("")
    panel.legend(frameon=False, fontsize=8, loc="lower left")
    panel.set_title(f"{_SETTING}: error and training set", loc="left", weight="bold")
