"""`python -m experiments faults`: planted faults, which checks detect which, how small, and other packages."""

import json
from collections.abc import Callable, Sequence
from importlib.metadata import packages_distributions, version
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments.faults import page
from experiments.faults.anchors import ANCHORS, MISSING, available
from experiments.faults.deceptions import Deception, deceptions
from experiments.faults.fault import Fault
from experiments.faults.layers import layer_faults
from experiments.faults.objectives import loss_faults, objective_faults, penalty_faults, second_order_faults
from experiments.faults.training import fisher_faults, freezing_faults, optimizer_faults, state_faults
from npnet.check import check_gradient

__all__ = ["STRENGTHS", "catalogue", "false_alarms", "main", "smallest"]

STRENGTHS = [10.0**-k for k in range(17)]
SETS = (
    layer_faults,
    loss_faults,
    penalty_faults,
    objective_faults,
    second_order_faults,
    optimizer_faults,
    freezing_faults,
    fisher_faults,
    state_faults,
)


def catalogue() -> list[Fault]:
    """Return every fault."""
    return [fault for faults in SETS for fault in faults()]


def caught_by(fault: Fault, strength: float, seed: int) -> list[str]:
    """Return the names of the checks that turn red."""
    return [name for name, report in fault.reports(strength, seed).items() if not report]


def smallest(sees: Callable[[float], bool]) -> float | str | None:
    """Return the smallest of the strengths 1, 0.1, … down to which a fault is seen without a gap.

    None where it is not seen at all, "false" where the alarm goes off for the right code as well.
    """
    if sees(0.0):
        return "false"
    found = None
    for strength in STRENGTHS:
        if not sees(strength):
            break
        found = strength
    return found


def false_alarms(faults: Sequence[Fault], runs: int, alarm: Callable[[Fault, int], bool]) -> dict[str, list[int]]:
    """Return [alarms, runs] over right code under ever new seeds, away from kinks and at kinks."""
    counts = {"smooth": [0, 0], "kinked": [0, 0]}
    for i in range(runs):
        fault, seed = faults[i % len(faults)], 1000 + i // len(faults)
        place = counts["kinked" if fault.kinked else "smooth"]
        place[0] += alarm(fault, seed)
        place[1] += 1
    return counts


def deceived(rule: Callable[[Any, Any], bool], which: Sequence[Deception]) -> list[dict[str, Any]]:
    """Return for each deception whether a rule confirms it, and whether it confirms its right twin.

    An exception is no confirmation.
    """

    def confirms(deception: Deception, wrong: bool) -> bool:
        f, arguments = deception.make(wrong)
        try:
            return not rule(f, arguments)
        except Exception:  # a rule may fail in its own way
            return False

    return [{"kind": d.kind, "name": d.name, "wrong": confirms(d, True), "right": confirms(d, False)} for d in which]


def own_rule(f: Callable[..., Any], arguments: tuple[Any, ...]) -> bool:
    """npnet's check_gradient, at its defaults: an alarm for everything that it does not confirm."""
    return check_gradient(f, *arguments).verdict != "confirmed"


def measure(
    runs: int, anchor_runs: int, say: Callable[[str], None], only: Sequence[str] = (), known: Any = None
) -> dict[str, Any]:
    """Return all that is measured: a row for each fault, false alarms, and false confirmations.

    only: the rules that are measured, "npnet" for our own, all that are installed by default.
    known: what was measured before. Numbers of rules that are not measured are taken from it.
    """
    faults, rules = catalogue(), {name: rule for name, rule in available().items() if not only or name in only}
    gradients, own = [fault for fault in faults if fault.trial], not only or "npnet" in only
    before = known or {"rows": [], "false_alarms": {}, "deceptions": {}, "versions": {}}
    rows, kept = [], {row["fault"]: row for row in before["rows"]}
    for fault in faults:
        row: dict[str, Any] = {"area": fault.area, "fault": fault.name, "checks": [], "smallest": {}}
        row |= kept.get(fault.name, {})
        if own:
            row["checks"] = caught_by(fault, 1.0, 0)
            row["smallest"] |= {"npnet": smallest(lambda s, f=fault: bool(caught_by(f, s, 0)))}  # type: ignore[misc]
        for name, rule in rules.items() if fault.trial else ():
            row["smallest"][name] = smallest(lambda s, f=fault, q=rule: q(*f.trial(s, 0)))  # type: ignore[misc]
        rows.append(row)
    alarms, confirmed = before["false_alarms"], before.get("deceptions", {})
    which = deceptions()
    for name, rule in {**({"npnet": own_rule} if own else {}), **rules}.items():
        say(f"false alarms and confirmations of {name}…")
        if name == "npnet":
            alarms[name] = false_alarms(faults, runs, lambda fault, seed: bool(caught_by(fault, 0.0, seed)))
        else:
            alarms[name] = false_alarms(gradients, anchor_runs, lambda f, seed, q=rule: q(*f.trial(0.0, seed)))  # type: ignore[misc]
        confirmed[name] = deceived(rule, which)
    versions = {**before.get("versions", {}), **{name: version_of(name) for name in rules}}
    return {"rows": rows, "false_alarms": alarms, "deceptions": confirmed, "missing": MISSING, "versions": versions}


def version_of(name: str) -> str:
    """Return the version of the package of a rule."""
    if name not in ANCHORS:
        return ""
    module = ANCHORS[name][0]
    return version(packages_distributions()[module][0]).partition("+")[0]


def main(
    console: Console,
    path: Path | None = None,
    runs: int = 1000,
    anchor_runs: int = 1000,
    only: Sequence[str] = (),
) -> dict[str, Any]:
    """Measure, print the tables, and write what was measured where a path is given.

    only: the rules that are measured. The numbers of the others are kept, if the file has them.
    """
    known = json.loads(path.read_text("utf-8")) if only and path is not None and path.exists() else None
    measured = measure(runs, anchor_runs, console.print, only, known)
    names = list(measured["false_alarms"])
    table = Table("area", "fault", "seen by", *(name.rpartition(".")[2] or name for name in names))
    for row in measured["rows"]:
        cells = [power(row["smallest"][name]) if name in row["smallest"] else "" for name in names]
        table.add_row(row["area"], row["fault"], ", ".join(row["checks"]) or "nothing", *cells)
    console.print(table)
    console.print(
        "the smallest strength that is still seen (1: as it was planted); false: an alarm for the right code as well; "
        "empty: not a gradient, so nothing that a rule could check"
    )
    summary = Table(
        "rule", "seen at full strength", "smallest, median", "false alarms", "at kinks", "false confirmations"
    )
    for name in names:
        found = [row["smallest"][name] for row in measured["rows"] if name in row["smallest"]]
        alarms = measured["false_alarms"][name]
        seen = [strength for strength in found if isinstance(strength, float)]
        summary.add_row(
            name,
            f"{len(seen)} of {len(found)}",
            power(median(strength if isinstance(strength, float) else 10.0 for strength in found)),
            *("{} in {}".format(*alarms[place]) for place in ("smooth", "kinked")),
            _confirmations(measured["deceptions"].get(name, [])),
        )
    for name in [each for each in ANCHORS if each not in names]:
        summary.add_row(name, "not installed", "", "", "", "")
    for name, why in MISSING.items():
        summary.add_row(name, why, "", "", "", "")
    console.print(summary)
    if path is not None:
        path.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n", "utf-8")
        console.print(f"measurements are in {path}", soft_wrap=True)
        if (path.parent / "checking.md").exists():
            page.written(path.parent / "checking.md", measured)
    return measured


def _confirmations(found: Sequence[dict[str, Any]]) -> str:
    return f"{sum(each['wrong'] for each in found)} of {len(found)}" if found else ""


def power(strength: float | str | None) -> str:
    """Return a strength as a table prints it, a dash for what isn't seen at all."""
    if isinstance(strength, str):
        return strength
    return "–" if strength is None or strength > 1 else "1" if strength == 1 else f"{strength:.0e}"
