"""The atlas on the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from rich.console import Console
from tyro.conf import arg

from experiments.frame.files import write_text
from experiments.frame.grids import markdown, show
from experiments.frame.study import Plan, Preset, Study
from experiments.studies.atlas.decision import decision_grid
from experiments.studies.atlas.design import PRESETS, USUAL, AtlasDesign, grown
from experiments.studies.atlas.figures import draw_decision, draw_pareto
from experiments.studies.atlas.measures import gather, write
from experiments.studies.atlas.report import against_fine_grid, errors_grid, notes, overview_grid
from experiments.studies.atlas.runs import atlas_jobs

__all__ = ["EveryMethod"]


@dataclass(frozen=True)
class EveryMethod(Study):
    """Compare every method on equal terms: an atlas.

    Eighteen methods learn a second task, on eight pairs of tasks. Each has six tries, from which validation examples
    choose. What does the new task gain, and what is left of the old one? The preset "quick" has four tries, and of the
    pairs drawn digits alone where no others are asked for: some ten minutes on two cores.

    Attributes:
        pairs: which pairs of tasks, with commas between: digits, mnist, mnist-few, mnist-fashion, fashion-mnist,
            acl-ac, acl-atl, acl-atl-few. A folder can get more later, and the tries of "full" after those of "quick".
    """

    name: ClassVar[str] = "atlas"
    presets: ClassVar[tuple[Preset, ...]] = ("smoke", "quick", "full")

    preset: Preset = "full"
    pairs: Annotated[str | None, arg(metavar="NAMES", help_behavior_hint="(default: all; quick: digits)")] = None

    def plan(self) -> Plan:
        """Return what to run."""
        whole = PRESETS[self.preset]
        known = {pair.name: pair for pair in whole.pairs}
        names = [name.strip() for name in (self.pairs or ",".join(USUAL[self.preset])).split(",")]
        if not set(names) <= set(known):
            raise ValueError(f"pairs is {self.pairs!r}; expected some of {', '.join(known)}, with commas between")
        design: AtlasDesign = replace(whole, pairs=tuple(known[name] for name in dict.fromkeys(names)))
        jobs = atlas_jobs(design)
        return Plan(f"{', '.join(names)}, {len(jobs)} jobs", design.configuration(), jobs, grown=grown)

    @classmethod
    def report(cls, folder: Path, out: Path, console: Console) -> None:
        """Print the tables of what has finished in `folder`, and write results, tables and pictures to `out`."""
        found = gather(folder)
        write(found, out)
        grids = [decision_grid(found), overview_grid(found)]
        for pair in found.design.pairs:
            grids += [errors_grid(found, pair), against_fine_grid(found, pair)]
        draw_pareto(found, out / "atlas.png")
        draw_decision(found, out / "decision.png")
        pictures = [
            "![What each method forgets against its error on the new task, for each pair of tasks](atlas.png)\n",
            "![Which method: questions, and what each answer comes to](decision.png)\n",
        ]
        lines = notes(found)
        write_text(out / "table.md", "\n".join([*map(markdown, grids), *(f"- {line}\n" for line in lines), *pictures]))
        for grid in grids:
            show(grid, console)
        for line in lines:
            console.print(line, highlight=False)

    @classmethod
    def command(cls, about: Mapping[str, Any]) -> str:
        """Return the command that computes results again, from what their results.json says about them."""
        whole, pairs = PRESETS["full"], tuple(about["studies"])
        tries = {len(tried) for of in about["studies"].values() for tried in of["tries"].values()}
        smoke = list(whole.hidden) != about["hidden"]
        preset: Preset = "smoke" if smoke else "quick" if tries == {4} else "full"
        asked = "" if pairs == USUAL[preset] else f" --pairs {','.join(pairs)}"
        return f"python -m experiments {cls.name} --preset {preset}{asked}"
