"""A study small enough for a test, the command that runs it in a process of its own, and jobs that misbehave."""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from experiments.frame.workspace import Workspace
from npnet import NotFiniteError

SIZES = {"train": 60, "validation": 40, "test": 40, "seeds": 1, "max-epochs-a": 2, "max-epochs-b": 3}


LONG = {"train": 600, "max_epochs_a": 6, "max_epochs_b": 8}  # long enough to be stopped in the middle


def table3(out: Path, *arguments: object, **sizes: int) -> list[str]:
    """The command that runs table 3 with next to nothing."""
    options = [f"--{name}={n}" for name, n in {**SIZES, **{k.replace("_", "-"): n for k, n in sizes.items()}}.items()]
    return command("tables", "--only", 3, "--preset", "smoke", "--out", out, *options, *arguments)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "experiments", *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    """The environment of a command; every epoch a checkpoint, so that a kill finds some."""
    return {**os.environ, "NPNET_CHECKPOINT_SECONDS": "0", "PYTHONWARNINGS": "error", **more}


def run(arguments: list[str], code: int = 0) -> str:
    """Run a command to its end and return what it printed."""
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=600, env=environment())
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def until(happened: Callable[[], object]) -> None:
    """Wait for what has to happen within a minute."""
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def start(out: Path, *arguments: object, wait: bool = True, **sizes: int) -> "subprocess.Popen[str]":
    """Start a run; it goes on as soon as there is a checkpoint."""
    process = subprocess.Popen(
        table3(out, "--workers", 2, *arguments, **{**LONG, **sizes}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    )
    until(lambda: not wait or process.poll() is not None or list(out.glob("jobs/*/checkpoint.npz")))
    return process


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def whole(folder: Path) -> dict[str, object]:
    """Everything in a study's folder that must not depend on how it was run: bytes, and results without their times."""
    content: dict[str, object] = {
        name: (folder / "table3" / name).read_bytes() for name in ("results.csv", "curves.csv", "table.md")
    }
    for job in sorted((folder / "jobs").iterdir()):
        assert sorted(path.name for path in job.iterdir()) == ["network.npz", "result.json"]
        result = json.loads((job / "result.json").read_text())
        del result["seconds"], result["environment"], result["peak_memory_mb"]
        content[job.name] = result, (job / "network.npz").read_bytes()
    return content


def fine(workspace: Workspace, value: int) -> dict[str, int]:
    return {"value": value}


def diverges(workspace: Workspace) -> dict[str, int]:
    raise NotFiniteError("objective", "hidden layer 1", 1, 2)


def adds(workspace: Workspace, needs: list[str]) -> dict[str, int]:
    return {"value": sum(json.loads((workspace.needed(name) / "result.json").read_text())["value"] for name in needs)}


def dies(workspace: Workspace) -> dict[str, int]:
    os._exit(9)
