"""Numbers as tables print them: means with standard deviations, paired differences with intervals."""

from collections.abc import Callable, Mapping, Sequence
from math import isnan

from experiments.frame.statistics import mean_sd, paired

__all__ = ["difference", "number", "spread"]


def number(value: float, digits: int, sign: str = "") -> str:
    """Return a number with a true minus, a dash for NaN; sign "+" shows that of positive numbers too.

    What rounds to zero has no sign.
    """
    if isnan(value):
        return "–"
    rounded = round(value, digits) + 0.0
    return f"{rounded:{sign if rounded else ''}.{digits}f}".replace("-", "−")


def spread(values: Sequence[float], digits: int) -> str:
    """Return mean ± standard deviation, the mean alone of a single value, a dash of none."""
    centre, deviation = mean_sd(list(values))
    return number(centre, digits) + ("" if isnan(deviation) else f" ± {deviation:.{digits}f}")


def difference(
    one: Mapping[int, float], other: Mapping[int, float], digits: int, cluster: Callable[[int], int] | None = None
) -> list[str]:
    """Return the mean difference of values paired by seed with its 95 % interval, and the p of its t-test.

    cluster: as `paired` takes it.
    """
    found = paired(dict(one), dict(other), cluster)
    if not found.n:
        return ["–", "–"]
    low, high = (number(end, digits, "+") for end in (found.low, found.high))
    interval = "" if isnan(found.low) else f" ({low} … {high})"
    return [number(found.difference, digits, "+") + interval, "–" if isnan(found.p) else f"{found.p:.2g}"]
