"""`python -m experiments conformance`: what every installed framework makes of the conformance set, and the page of it.

Frameworks often need versions of NumPy or of each other that exclude one another. So each is measured in a process of
its own, and the numbers are kept in `docs/conformance.json`: a run measures what is installed and keeps the rest.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from npnet.check.conformance import FOLDERS, examples
from npnet.check.conformance.run import ADAPTERS, CONVENTION, results

__all__ = ["installed", "measured", "page", "run"]

TITLES = {
    "npnet": "npnet",
    "torch": "torch",
    "jax": "JAX",
    "autograd": "autograd",
    "tensorflow": "TensorFlow",
    "paddle": "Paddle",
    "mlx": "MLX",
    "tinygrad": "tinygrad",
    "mygrad": "MyGrad",
    "pytensor": "PyTensor",
    "casadi": "CasADi",
}
COUNTED: dict[str, Callable[[str], bool]] = {
    "right": lambda verdict: verdict == "ok",
    "another convention at a kink": lambda verdict: verdict == CONVENTION,
    "wrong": lambda verdict: verdict == "WRONG" or verdict.startswith("raises"),
    "not supported": lambda verdict: verdict.startswith("not supported"),
}
BEGIN, END = "<!-- made by python -m experiments conformance -->", "<!-- end -->"


def installed() -> list[str]:
    """Return the names of the frameworks that can be imported here."""
    return [name for name in ADAPTERS if find_spec(name) is not None]


def measured(name: str) -> dict[str, Any]:
    """Return a framework's version, and for each case its verdict and what it computes, as plain data."""
    found = {}
    for r in results(name):
        gradients = {path: [str(float(f"{x:.12g}")) for x in g.reshape(-1)] for path, g in r.gradients.items()}
        about: dict[str, Any] = {"verdict": r.verdict, "value": str(float(f"{r.value:.12g}")), "gap": f"{r.gap:.1e}"}
        found[r.name] = {**about, **({"gradient": gradients["X"]} if set(gradients) == {"X"} else {})}
    return {"version": _version(name), "numpy": np.__version__, "cases": found}


def _version(name: str) -> str:
    distributions = packages_distributions().get(name, [name])
    return "" if name == "npnet" else version(distributions[0]).partition("+")[0]  # torch 2.13.0+cpu


def run(folder: Path, only: str | None, say: Callable[[str], None]) -> int:
    """Measure the frameworks that are installed, or one of them, and write conformance.json and conformance.md.

    Returns the number of frameworks that could not be measured.
    """
    path = folder / "conformance.json"
    known: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    failed = 0
    for name in [only] if only else installed():
        program = f"import json; from experiments.conformance import measured; print(json.dumps(measured({name!r})))"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        if done.returncode:
            failed += 1
            say(f"{name}: {done.stderr.strip().splitlines()[-1]}")
            continue
        known[name] = json.loads(done.stdout.splitlines()[-1])
        verdicts = [case["verdict"] for case in known[name]["cases"].values()]
        say(f"{name} {known[name]['version']}: {verdicts.count('ok')} of {len(verdicts)} as they should be")
    known = {name: known[name] for name in ADAPTERS if name in known}
    path.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", "utf-8")
    text = (folder / "conformance.md").read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    (folder / "conformance.md").write_text(
        f"{before}{BEGIN}\n\n{page(known)}\n\n{END}{rest.partition(END)[2]}", "utf-8"
    )
    return failed


def page(known: dict[str, Any]) -> str:
    """Return the tables of what was measured, in Markdown."""
    networks, points = (list(examples(folder)) for folder in FOLDERS)
    head = [f"{TITLES[name]} {about['version']}".strip() for name, about in known.items()]
    cases = [about["cases"] for about in known.values()]
    rows = [
        [title, *(str(sum(group(of[e.name]["verdict"]) for e in networks)) for of in cases)]
        for title, group in COUNTED.items()
    ]
    tables = [f"### The {len(networks)} small networks", _table(["", *head], rows)]
    odd = [e.name for e in networks if any(of[e.name]["verdict"] != "ok" for of in cases)]
    rows = [[name, *(_network_cell(of[name]) for of in cases)] for name in odd]
    tables += [
        "Where one of them is not right, and by how much of an array's largest entry:",
        _table(["", *head], rows),
    ]
    for title, kink in (("Kinks and ties", True), ("Smooth, and difficult", False)):
        rows = [
            [e.name, _numbers(e.X), _numbers(e.gradients["X"]), *(_point_cell(of[e.name], e.value) for of in cases)]
            for e in points
            if e.kink == kink
        ]
        tables += [f"### {title}", _table(["case", "x", "answer", *head], rows)]
    return "\n\n".join(tables)


def _network_cell(case: dict[str, Any]) -> str:
    if case["verdict"] == "ok":
        return ""
    if case["verdict"] == CONVENTION:
        return "convention"
    return "NaN" if case["gap"] in ("inf", "nan") else case["gap"]


def _point_cell(case: dict[str, Any], value: float) -> str:
    if case["verdict"].startswith("not supported"):
        return "–"
    if case["verdict"].startswith("raises"):
        return "**raises**"
    cell = _numbers(np.array(case["gradient"], dtype=float))
    if not abs(float(case["value"]) - value) <= 1e-9 * abs(value):
        cell += f" (value {_number(float(case['value']))})"
    return f"**{cell}**" if case["verdict"] == "WRONG" else f"*{cell}*" if case["verdict"] == CONVENTION else cell


def _numbers(array: Any) -> str:
    return " ".join(_number(float(x)) for x in np.ravel(array))


def _number(x: float) -> str:
    simple = {0.5: "½", 0.25: "¼", 1 / 3: "⅓", 2 / 3: "⅔"}
    for number, letter in simple.items():
        if abs(abs(x) - number) < 1e-9:
            return ("−" if x < 0 else "") + letter
    if x != x:
        return "NaN"
    return f"{x + 0.0:.4g}".replace("-", "−").replace("e+", "e")


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
