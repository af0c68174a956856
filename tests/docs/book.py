"""Where the book is, and what builds it."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "ext"))
NEEDED = ("sphinx", "myst_parser", "furo", "latex2mathml", "ziamath")


def missing():
    """What builds the book and is not installed."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]
