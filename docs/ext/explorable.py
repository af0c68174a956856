"""The explorable page "Watch a network forget": one file, put together from docs/explorable and npnet's digits."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from npnet.tasks.handwriting import HANDWRITING
from npnet.tasks.skeletons import WAYS, points_of, spans_of

__all__ = ["explorable", "setup"]

PARTS = Path(__file__).parents[1] / "explorable"


def drawn() -> dict[str, Any]:
    """Return what the page draws digits from: each one's ways to be written, and the handwriting's ranges."""
    ways = {
        character: [
            {
                "points": [list(map(float, p)) for p in points_of(way)],
                "spans": [list(map(int, s)) for s in spans_of(way)],
            }
            for way in ways
        ]
        for character, ways in WAYS.items()
        if character.isdigit()
    }
    return {"ways": ways, "look": asdict(HANDWRITING)}


def explorable() -> str:
    """Return the page, its style and its scripts as one HTML file that needs nothing else."""
    page = (PARTS / "page.html").read_text("utf-8")
    for name in ("page.css", "digits.js", "network.js", "page.js"):
        page = page.replace(f"/* {name} */", (PARTS / name).read_text("utf-8"))
    return page.replace("/* ways.json */ null", json.dumps(drawn(), separators=(",", ":")))


def setup(app: Any) -> dict[str, bool]:
    """Let every build of the site write the page beside its index."""

    def write(app: Any, failed: Exception | None) -> None:
        if failed is None and app.builder.name == "html":
            (Path(app.outdir) / "forget.html").write_text(explorable(), "utf-8")

    app.connect("build-finished", write)
    return {"parallel_read_safe": True}
