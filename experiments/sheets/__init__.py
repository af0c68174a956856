"""Contact sheets of the drawn images: what the tasks look like, the truth about them, the open parameters.

    digits.png       every drawn digit, and its ways to be written with their truth
    letters.png      the same of the letters
    stimuli.png      every task, class, background and polarity
    truth.png        half of the same stimuli, enlarged, with their truth drawn over them
    appearance.png   each open parameter over the range that it may have

Sheets are laid out in pixels, and stimuli enlarged by whole factors: every pixel of a stimulus is a square of one grey.
"""

from pathlib import Path

from experiments.sheets.appearance_sheet import PARAMETERS, appearance_sheet, looks
from experiments.sheets.canvas import DISTRACTOR, Sheet, one_of_each
from experiments.sheets.characters_sheet import characters_sheet
from experiments.sheets.tasks_sheet import draw_truth, tasks_sheet

__all__ = [
    "DISTRACTOR",
    "PARAMETERS",
    "Sheet",
    "appearance_sheet",
    "characters_sheet",
    "draw_truth",
    "looks",
    "one_of_each",
    "tasks_sheet",
    "write_sheets",
]


def write_sheets(out: Path, seed: int) -> list[Path]:
    """Write all sheets into a folder, and return their paths."""
    sheets = {
        out / "stimuli.png": tasks_sheet(seed, truth=False),
        out / "truth.png": tasks_sheet(seed, truth=True),
        out / "appearance.png": appearance_sheet(seed),
        out / "digits.png": characters_sheet("digits", seed),
        out / "letters.png": characters_sheet("letters", seed),
    }
    for path, sheet in sheets.items():
        sheet.write(path)
    return list(sheets)
