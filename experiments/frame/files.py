"""Files that are written whole or not at all: bytes, text, JSON and CSV."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from npnet.trees import write_atomically

__all__ = ["read_csv", "read_json", "write_bytes", "write_csv", "write_json", "write_text"]


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, whole or not at all."""
    write_atomically(path, content)


def write_text(path: Path, text: str) -> None:
    """Write text in UTF-8, whole or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path, content: Any) -> None:
    """Write JSON, whole or not at all. Raises ValueError for numbers that are not finite."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON; None where there is no such file. Raises ValueError for a damaged one, naming it."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ValueError(f"file {path} is damaged ({error}); expected JSON: delete it and run again") from error


def write_csv(path: Path, header: tuple[str, ...], rows: list[Any]) -> None:
    """Write rows under a header as CSV, whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, text.getvalue())


def read_csv(path: Path) -> list[list[str]]:
    """Read the rows of a CSV file, without its header."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]
