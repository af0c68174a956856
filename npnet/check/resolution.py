"""Says how much of a gradient a check has seen: nothing, too little for a verdict, or errors larger than some part."""

from dataclasses import replace
from typing import Any

from npnet.check.report import UNDECIDED, Line
from npnet.check.rounding import peak

__all__ = ["COARSE", "seen"]

SMALL_PART = 1e-6  # of the values over the arguments, or of the largest slope
COARSE = 1e-2
"""A check that sees only errors larger than this part of the gradient has no verdict."""


def seen(problem: Any, k: int, line: Line, lines: list[Line]) -> Line:
    """Return the worst line of argument k, with what was not seen by all of its lines.

    Complains of a derivative with an error so large that any gradient would pass: the values have noise or kinks.
    Entries that are smaller than their error, beside larger ones, are counted in a note.
    """
    if zero(problem, k, lines):
        return replace(line, unseen=not line.wrong)
    name, g = problem.names[k], problem.gradients[k]
    size = max(peak(g), *(abs(line.derivative) for line in lines)) + 1e-290
    vague = max(lines, key=lambda line: line.allowed)
    resolution = max(vague.allowed / size, problem.witnessed[k])
    if resolution > COARSE:
        where = f"at {vague.index}" if vague.index is not None else "along a direction"
        problem.complaints.append(
            f"{name} {UNDECIDED}: its derivative {where} is known to ±{vague.allowed:.1e}, and the largest slope is "
            f"{size:.1e}"
        )
        return line
    lost = [line for line in lines if max(abs(line.gradient), abs(line.derivative)) <= line.allowed]
    if lost and max(line.allowed for line in lost) > SMALL_PART * size:
        problem.notes.append(
            f"{name} has {len(lost)} entries that are zero or smaller than what is seen, {vague.allowed:.1e}"
        )
    return replace(line, resolution=resolution)


def zero(problem: Any, k: int, lines: list[Line]) -> bool:
    """Say whether gradient and derivative are zero to rounding, and rounding is small beside the values."""
    most = max(line.allowed for line in lines)
    small = most <= SMALL_PART * problem.lost
    found = max(peak(problem.gradients[k]), max(abs(line.derivative) for line in lines))
    return bool(peak(problem.gradients[k]) == 0 or small) and found <= most
