"""What the difficulty study found: a table, a figure, and the files that they are made from."""

from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from experiments.frame.files import read_csv, read_json, write_csv, write_json, write_text
from experiments.frame.folder import result_of
from experiments.frame.grids import Grid, markdown, show
from experiments.frame.measurements import Measurement, read_measurements
from experiments.frame.pictures import picture
from experiments.frame.provenance import distinct
from experiments.published import published
from experiments.studies.difficulty.trials import HIDDEN, PAPER_TRAIN, TASK, AppearanceTrial

__all__ = ["paper_error", "write_difficulty_report"]

_SETTING = f"{TASK} {'-'.join(map(str, HIDDEN))}"
_COLOURS = {"none": "#000000", "l1": "#0072B2", "l1_twentieth": "#56B4E9", "dropout": "#D55E00"}


def paper_error(regularizer: str) -> float:
    """Return the paper's test error on the task after learning it, percent (table 3)."""
    name = "l1" if regularizer == "l1_twentieth" else regularizer
    return next(row.task_a_error_before for row in published() if (row.table, row.regularizer) == (3, name))


class TrialResult(NamedTuple):
    """What one trial came to: errors in percent, epochs, and its curve (epoch, objective, validation error)."""

    trial: AppearanceTrial
    numbers: dict[str, float]
    curve: list[tuple[int, float, float]]


def write_difficulty_report(folder: Path, out: Path, console: Console) -> None:
    """Print the table of what has finished in `folder`, and write results, table and figure to `out`.

    The folder is one that a run works in, or one that holds the files that an earlier report wrote.
    """
    about = read_json(folder / "results.json")
    found = _read(folder, about) if about and not (folder / "jobs").is_dir() else []
    if not found:
        about = read_json(folder / "configuration.json")
        found, about = _collect(folder, about)
    grid = _grid(found)
    out.mkdir(parents=True, exist_ok=True)
    _write(found, about, out)
    picture = "![Test errors by appearance, and validation errors by training stimuli](difficulty.png)\n"
    write_text(out / "table.md", f"{markdown(grid)}\n{picture}")
    _draw(found, out / "difficulty.png")
    show(grid, console)
    if len(found) < len(about["trials"]):
        console.print(f"Incomplete: {len(found)} of {len(about['trials'])} networks have finished.")


def _collect(folder: Path, configuration: dict[str, Any]) -> tuple[list[TrialResult], dict[str, Any]]:
    """Gather what the jobs have left so far, and where it comes from."""
    found, seconds = [], {}
    environments = []
    for trial in (AppearanceTrial(**each) for each in configuration["trials"]):
        result = result_of(folder, trial.name)
        if result is not None:
            numbers = {
                "test_error": result["errors"]["test"],
                "train_error": result["errors"]["train"],
                "epochs": float(len(result["history"])),
                "kept_epoch": float(result["kept_epoch"]),
            }
            curve = [(record["epoch"], record["objective"], record["error"]) for record in result["history"]]
            found.append(TrialResult(trial, numbers, curve))
            seconds[trial.name] = round(result["seconds"], 1)
            environments.append(result["environment"])
    return found, {**configuration, "environments": distinct(environments), "seconds": seconds}


def _write(found: list[TrialResult], about: dict[str, Any], out: Path) -> None:
    """Write results.csv, curves.csv and results.json."""
    rows = [
        Measurement(about["experiment"], f"{_SETTING} {t.train} {t.appearance}", "scratch", t.regularizer, 0, *number)
        for t, numbers, _ in found
        for number in numbers.items()
    ]
    write_csv(out / "results.csv", Measurement._fields, rows)
    header = ("trial", "epoch", "objective", "validation_error")
    write_csv(out / "curves.csv", header, [(t.name, *point) for t, _, curve in found for point in curve])
    write_json(out / "results.json", about)


def _read(folder: Path, about: dict[str, Any]) -> list[TrialResult]:
    """Read what `_write` wrote."""
    found: dict[AppearanceTrial, TrialResult] = {}
    trials = {trial.name: trial for trial in (AppearanceTrial(**each) for each in about["trials"])}
    for m in read_measurements(folder / "results.csv"):
        train, appearance = m.setting.removeprefix(_SETTING).split()
        trial = trials[f"{appearance}-{train}-{m.regularizer}"]
        found.setdefault(trial, TrialResult(trial, {}, [])).numbers[m.metric] = m.value
    for name, epoch, objective, error in read_csv(folder / "curves.csv"):
        found[trials[name]].curve.append((int(epoch), float(objective), float(error)))
    return list(found.values())


def _grid(found: list[TrialResult]) -> Grid:
    """Return the table: a line for each trial, with the paper's error where the size is the paper's."""
    rows = []
    for trial, numbers, _ in sorted(found, key=lambda each: (-each.trial.train, each.trial.appearance != "calibrated")):
        paper = f"{paper_error(trial.regularizer):.1f}" if trial.train == PAPER_TRAIN else ""
        test, train = (f"{numbers[which]:.2f}" for which in ("test_error", "train_error"))
        epochs = [f"{numbers[which]:.0f}" for which in ("epochs", "kept_epoch")]
        epochs[0] += " (cap)" if numbers["epochs"] == trial.max_epochs else ""
        rows.append([trial.appearance, f"{trial.train:,}", trial.regularizer, test, paper, train, *epochs])
    header = ["appearance", "stimuli", "regularizer", "test error", "paper", "training error", "epochs", "kept"]
    return Grid(f"{_SETTING}, errors in percent", header, rows)


def _draw(found: list[TrialResult], path: Path) -> None:
    """Draw what appearances do to the test error on the left, the calibrated one's validation errors on the right."""
    with picture(path, (9.6, 4.4)) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(2, 3))
        _draw_appearances(left, found)
        for trial, _, curve in found:
            if trial.appearance == "calibrated":
                colour, alpha = _COLOURS[trial.regularizer], 1.0 if trial.train == PAPER_TRAIN else 0.45
                epochs, _, errors = zip(*curve, strict=True)
                right.plot(epochs, errors, linewidth=1.2, color=colour, alpha=alpha)
                label, above = f"{trial.train:,}, {trial.regularizer}", 4 if trial.train == PAPER_TRAIN else -12
                right.annotate(
                    label, (epochs[-1], errors[-1]), (5, above), textcoords="offset points", fontsize=8, color=colour
                )
        end = right.get_xlim()[1] * 1.35
        for name, style in (("none", "--"), ("l1", ":")):
            right.axhline(paper_error(name), color="0.55", linewidth=1, linestyle=style)
            right.text(
                end * 0.99, paper_error(name), f"paper, {name}", fontsize=8, ha="right", va="bottom", color="0.35"
            )
        right.set(xlabel="epoch", ylabel="validation error (%)", yscale="log", xlim=(0, end))
        right.set_yticks([5, 10, 20, 40])
        right.yaxis.set_major_formatter("{x:g}")
        right.yaxis.set_minor_formatter("")
        right.set_title("calibrated appearance, by training stimuli", loc="left", weight="bold")


def _draw_appearances(panel: Any, found: list[TrialResult]) -> None:
    """Draw the test error under each appearance, at the size at which most of them were tried."""
    sizes = [each.trial.train for each in found]
    size = max(sizes, key=sizes.count, default=0)
    errors = sorted(
        (each.numbers["test_error"], each.trial.appearance)
        for each in found
        if (each.trial.train, each.trial.regularizer) == (size, "none")
    )
    for row, (error, name) in enumerate(errors):
        panel.plot([error], [row], "o", color="#000000" if name == "calibrated" else "#0072B2")
        panel.annotate(f"{error:.1f}", (error, row), (6, 0), textcoords="offset points", va="center", fontsize=8)
    panel.set_yticks(range(len(errors)), [name for _, name in errors])
    panel.margins(x=0.2)
    panel.grid(axis="x", color="0.9")
    panel.set(xlabel="test error (%)")
    panel.set_title(f"{_SETTING}, {size:,} stimuli", loc="left", weight="bold")
