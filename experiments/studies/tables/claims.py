"""The paper's central claim, pair by pair: does Gradual Tuning forget less than fine tuning, there and here?

A pair is a table and a regularizer, 24 in all. What is forgotten is the old task's test error after − before, the mean
over the old tasks where there are five. Two of the paper's methods differ where the 95 % intervals of their means do
not overlap; ours are paired by seed, and differ where the interval of the mean difference excludes zero. Where all
runs of a pair begin with one first network, that interval is about new heads on it alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from math import isnan, nan, sqrt
from pathlib import Path
from statistics import fmean

from experiments.frame.files import write_text
from experiments.frame.grids import Grid, markdown
from experiments.frame.pictures import picture
from experiments.frame.statistics import Paired, paired
from experiments.frame.text import number, spread
from experiments.published import REPETITIONS, published
from experiments.studies.tables.design import REGULARIZERS, ROWS, TABLES, row_of
from experiments.studies.tables.figures import TITLES
from experiments.studies.tables.report import forgetting
from experiments.studies.tables.results import TableResults, read_results

__all__ = ["Claim", "Theirs", "claims_grid", "claims_of", "count", "theirs", "write_claims"]


@dataclass(frozen=True)
class Theirs:
    """What the paper has for a pair: points forgotten by each method, and whether their intervals are apart."""

    fine: float
    gradual: float
    apart: bool


@dataclass(frozen=True)
class Claim:
    """A pair, there and here. Ours, of fine and gradual by seed: points forgotten, new-task errors; fine − gradual.

    over: what the interval of the difference is about: new "heads" on one first network, or new first "networks".
    """

    table: int
    regularizer: str
    train: int
    theirs: Theirs
    forgotten: tuple[dict[int, float], dict[int, float]]
    new: tuple[dict[int, float], dict[int, float]]
    difference: Paired
    over: str

    @property
    def same_sign(self) -> bool:
        """Whether the method that forgets less on average is the one that does so in the paper."""
        return (self.difference.difference > 0) == (self.theirs.fine > self.theirs.gradual)

    @property
    def verdict(self) -> str:
        """What became of the claim: "holds" or "reversed" where our interval excludes zero, else "undecided".

        That is also what it is where all pairs differ by the same number, which leaves no interval to speak of.
        """
        d = self.difference
        if isnan(d.p) or d.low <= 0 <= d.high:
            return "undecided"
        return "holds" if self.same_sign else "reversed"


def theirs(table: int, regularizer: str) -> Theirs:
    """Return the paper's pair, the mean over its first tasks."""
    from scipy import stats

    half = float(stats.t.ppf(0.975, REPETITIONS - 1)) / sqrt(REPETITIONS)
    means, ends = {}, {}
    for method in ("fine", "gradual"):
        rows = [r for r in published() if (r.table, r.regularizer, r.method) == (table, row_of(regularizer), method)]
        means[method] = fmean(row.task_a_error_after - row.task_a_error_before for row in rows)
        spread = half * fmean(row.task_a_error_after_sd for row in rows)
        ends[method] = means[method] - spread, means[method] + spread
    apart = ends["fine"][0] > ends["gradual"][1] or ends["gradual"][0] > ends["fine"][1]
    return Theirs(means["fine"], means["gradual"], apart)


def claims_of(results: Iterable[TableResults]) -> list[Claim]:
    """Return the pairs of which both methods have finished some seed, in the order of the tables and of their scale."""
    claims = []
    for each in sorted(results, key=lambda r: (r.design.table.number, r.design.protocol.train)):
        table = each.design.table.number
        for regularizer in each.design.regularizers:
            fine, gradual = (forgetting(each, method, regularizer) for method in ("fine", "gradual"))
            new = tuple(each.values("task_b_error", method, regularizer) for method in ("fine", "gradual"))
            if fine.keys() & gradual.keys():
                difference = paired(fine, gradual, each.design.cluster)
                train = each.design.protocol.train
                claims.append(
                    Claim(
                        table,
                        regularizer,
                        train,
                        theirs(table, regularizer),
                        (fine, gradual),
                        (new[0], new[1]),
                        difference,
                        "networks" if each.design.cluster else "heads",
                    )
                )
    return claims


def claims_grid(claims: list[Claim]) -> Grid:
    """Return the table of all pairs at every scale, also those without a result, of other readings those with one."""
    rows = []
    for table, regularizer in product(TABLES.values(), REGULARIZERS):
        paper = theirs(table.number, regularizer)
        row = [str(table.number), f"{'+'.join(table.first)} → {table.second}, {table.network}", regularizer]
        row += [f"{number(paper.fine, 1)}, {number(paper.gradual, 1)}{' *' if paper.apart else ''}"]
        found = [claim for claim in claims if (claim.table, claim.regularizer) == (table.number, regularizer)]
        rows += [row + _ours(claim) for claim in found]
        if regularizer in ROWS and not found:
            rows.append(row + ["–"] * 6)
    header = ["table", "", "", "paper: fine, gradual", "examples", "fine", "gradual"]
    header += ["fine − gradual (95 %)", "new task: fine, gradual", "the claim"]
    return Grid("Points forgotten of the old task; * the paper's intervals do not overlap", header, rows)


def _ours(claim: Claim) -> list[str]:
    d = claim.difference
    interval = "" if isnan(d.low) else f" ({number(d.low, 1, '+')} … {number(d.high, 1, '+')})"
    return [
        f"{claim.train:,} × {d.n} {claim.over}",
        *(spread(list(each.values()), 1) for each in claim.forgotten),
        number(d.difference, 1, "+") + interval,
        ", ".join(number(fmean(each.values()) if each else nan, 2) for each in claim.new),
        claim.verdict,
    ]


def count(claims: list[Claim]) -> str:
    """Return how many claims hold, a sentence or two for each way to read the rows that is measured: in every row its
    first reading, then the others in its place.

    Of a pair at several scales the largest counts, but for a single repetition where a smaller one was repeated.
    """
    claims = _counted(claims)
    text, measured = [], {claim.regularizer for claim in claims}
    for reading in product(*ROWS.values()):
        if not measured.union(ROWS).issuperset(reading):
            continue
        pairs = [claim for claim in claims if claim.regularizer in reading]
        apart = [claim for claim in pairs if claim.theirs.apart]
        held = sum(claim.verdict == "holds" for claim in apart)
        others = " and ".join(TITLES[regularizer] for regularizer in reading if regularizer not in ROWS)
        text.append(
            (f"With {others} in its row, {len(pairs)}" if others else f"{len(pairs)}")
            + f" of {len(TABLES) * len(ROWS)} pairs are measured: {_verdicts(pairs)}. In {len(apart)} of the "
            f"measured pairs the paper's own intervals do not overlap; the claim holds in {held} of these."
        )
    return "\n\n".join(text)


def _counted(claims: list[Claim]) -> list[Claim]:
    """Return of each pair the claim with the most training examples, a single repetition only where no other is."""
    singles_first = sorted(claims, key=lambda claim: claim.difference.n > 1)
    return list({(claim.table, claim.regularizer): claim for claim in singles_first}.values())


def _verdicts(claims: list[Claim]) -> str:
    held, reverse, undecided = (
        sum(claim.verdict == which for claim in claims) for which in ("holds", "reversed", "undecided")
    )
    same = sum(claim.same_sign for claim in claims)
    return (
        f"the paper's claim holds in {held}, is reversed in {reverse}, and is undecided in {undecided}. The mean "
        f"difference has the paper's sign in {same}"
    )


_CLAIM = """A claim says for one table and one regularizer whether Gradual Tuning forgets less than fine tuning. It
holds where our 95 % interval of the paired difference lies on the paper's side of zero, is reversed where it lies on
the other side, and is undecided where it covers zero.
"""


def write_claims(folder: Path) -> None:
    """Write claims.md and claims.png from the results of tables in a folder, such as table3 and table3_tenth."""
    claims = claims_of(read_results(path.parent) for path in sorted(folder.glob("table*/results.json")))
    picture = "![Forgotten under fine tuning − under Gradual Tuning, the paper's against ours](claims.png)\n"
    text = "\n".join(
        ["# The claims of the eight tables\n", count(claims) + "\n", picture, _CLAIM, markdown(claims_grid(claims))]
    )
    write_text(folder / "claims.md", text)
    _draw(claims, folder / "claims.png")


def _draw(claims: list[Claim], path: Path) -> None:
    """Draw what Gradual Tuning saves, ours against the paper's: a point for each pair, its interval, its table."""
    from matplotlib.patheffects import withStroke
    from matplotlib.ticker import FixedLocator, NullLocator

    halo = [withStroke(linewidth=2, foreground="white")]  # a number stays legible where intervals cross it
    colours = dict(zip(REGULARIZERS, ("#000000", "#0072B2", "#56B4E9", "#D55E00"), strict=True))
    with picture(path, (6.4, 5.2)) as figure:
        panel = figure.subplots()
        for claim in _counted(claims):
            x, d = claim.theirs.fine - claim.theirs.gradual, claim.difference
            colour = colours[claim.regularizer]
            if not isnan(d.low):
                panel.plot([x, x], [d.low, d.high], color=colour, linewidth=1.2)
            panel.plot(x, d.difference, "o", color=colour, markersize=5)
            place = {"xytext": (5, 3), "textcoords": "offset points"}
            panel.annotate(str(claim.table), (x, d.difference), **place, color=colour, path_effects=halo)
        for regularizer, colour in colours.items():
            panel.plot([], [], "o", color=colour, label=TITLES[regularizer])
        panel.axhline(0, color="0.6", linewidth=0.8)
        panel.axvline(0, color="0.6", linewidth=0.8)
        panel.set_xscale("symlog", linthresh=2)
        panel.set_yscale("symlog", linthresh=2)
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_locator(FixedLocator([-20, -10, -5, -2, -1, 0, 1, 2, 5, 10, 20, 50]))
            axis.set_major_formatter("{x:g}")
            axis.set_minor_locator(NullLocator())
        panel.set(xlabel="the paper: fine − gradual (points forgotten)", ylabel="here: fine − gradual, 95 % interval")
        panel.legend(frameon=False, title="number: table")
