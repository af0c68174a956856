"""The table of checkers in `docs/checking.md`, made from what was measured: what each sees, and what it says falsely.

`python -m experiments faults --json docs/checking-faults.json` measures, and writes it into the page beside that file.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from experiments.faults.anchors import ANCHORS

__all__ = ["BEGIN", "END", "markdown", "written"]

BEGIN, END = "<!-- made by python -m experiments faults -->", "<!-- end -->"
NAMES = {
    "npnet": "npnet",
    "torch.autograd.gradcheck": "torch gradcheck",
    "jax.test_util.check_vjp": "JAX check_vjp",
    "autograd.test_util.check_grads": "autograd check_grads",
    "numdifftools.Gradient": "numdifftools + allclose",
    "pyadjoint.taylor_test": "pyadjoint taylor_test",
    "tesseract_core.check_gradients": "tesseract-core check_gradients",
}
KINDS = {"imaginary part": "drop the imaginary part", "cache": "keep a cache", "buffer": "share a buffer"}


def markdown(measured: dict[str, Any]) -> str:
    """Return the table: a row for each area of faults, for false alarms, and for false confirmations."""
    names = [name for name in ("npnet", *ANCHORS) if name in measured["false_alarms"]]
    titles = [f"{NAMES.get(name, name)} {measured['versions'].get(name, '')}".strip() for name in names]
    areas = list(dict.fromkeys(row["area"] for row in measured["rows"]))
    lines = [["", "how many", *titles], ["---"] * (len(names) + 2)]
    for area in areas:
        rows = [row for row in measured["rows"] if row["area"] == area]
        cells = [_seen([row["smallest"][name] for row in rows if name in row["smallest"]], len(rows)) for name in names]
        lines.append([f"faults in {area}", str(len(rows)), *cells])
    for place, title in (("smooth", "**false alarms**, smooth"), ("kinked", "**false alarms**, at kinks")):
        counts = [measured["false_alarms"][name][place] for name in names]
        lines.append([title, "", *(f"{alarms} in {runs}" for alarms, runs in counts)])
    for kind, title in KINDS.items():
        found = [[each for each in measured["deceptions"][name] if each["kind"] == kind] for name in names]
        cells = [str(sum(each["wrong"] for each in of)) for of in found]
        lines.append([f"**false confirmations**: wrong functions that {title}", str(len(found[0])), *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _seen(smallest: Sequence[float | str | None], faults: int) -> str:
    """Return how many faults are seen at full strength, and the median of the smallest strength still seen."""
    if not smallest:
        return ""
    strengths = [each if isinstance(each, float) else 10.0 for each in smallest]
    seen, middle = sum(each <= 1 for each in strengths), median(strengths)
    of = f"{seen} of {len(smallest)}" if len(smallest) < faults else str(seen)
    return f"{of}, {middle:.0e}".replace("e-0", "e-").replace("e+00", "") if middle <= 1 else of


def written(page: Path, measured: dict[str, Any]) -> None:
    """Write the table between its two marks in a page."""
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    text = f"{before}{BEGIN}\n\n{markdown(measured)}\n\n{END}{rest.partition(END)[2]}"
    page.write_text(text, "utf-8")
