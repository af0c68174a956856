"""Writes the outcomes of checks for people, for programs (JSON), and for continuous integration (JUnit's XML)."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from npnet.check.report import Report

__all__ = ["FORMATS", "Outcome", "as_json", "as_junit", "as_text"]


@dataclass(frozen=True)
class Outcome:
    """What was found about one function: a report, or the reason why there is none."""

    name: str
    report: Report | None
    reason: str = ""

    @property
    def verdict(self) -> str:
        """Return the verdict of the report, or "not checked"."""
        return "not checked" if self.report is None else self.report.verdict


def as_text(outcomes: Sequence[Outcome]) -> str:
    """Return a paragraph for each function."""
    return "\n\n".join(f"{each.name}\n{each.reason if each.report is None else each.report}" for each in outcomes)


def as_json(outcomes: Sequence[Outcome]) -> str:
    """Return a list with an object for each function. Numbers that are not finite are the strings nan, inf, -inf."""
    told = []
    for each in outcomes:
        report = {} if each.report is None else each.report.as_dict()
        told.append({"name": each.name, "verdict": each.verdict, "reason": each.reason, **report})
    return json.dumps(_finite(told), indent=1, ensure_ascii=False, allow_nan=False)


def as_junit(outcomes: Sequence[Outcome]) -> str:
    """Return a test suite with a test case for each function.

    A wrong gradient is a failure, a function that could not be checked an error, and one of which something was not
    seen is skipped.
    """
    verdicts = [each.verdict for each in outcomes]
    counts = {"failures": ("wrong",), "errors": ("not checked",), "skipped": ("nothing seen", "undecided")}
    numbers = {name: str(sum(v in of for v in verdicts)) for name, of in counts.items()}
    suite = ElementTree.Element("testsuite", {"name": "npnet-check", "tests": str(len(outcomes)), **numbers})
    for each in outcomes:
        module, _, function = each.name.partition(":")
        case = ElementTree.SubElement(suite, "testcase", classname=module, name=function)
        kind = {"wrong": "failure", "not checked": "error", "confirmed": ""}.get(each.verdict, "skipped")
        if kind:
            summary = each.reason if each.report is None else each.report.summary
            ElementTree.SubElement(case, kind, message=summary.partition("\n")[0]).text = summary
        ElementTree.SubElement(case, "system-out").text = each.reason if each.report is None else str(each.report)
    ElementTree.indent(suite)
    text = ElementTree.tostring(suite, "utf-8", xml_declaration=True).decode()
    return "".join(c for c in text if c.isprintable() or c in "\n\t")  # others are not allowed in XML


def _finite(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _finite(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_finite(value) for value in tree]
    return str(tree) if isinstance(tree, float) and not math.isfinite(tree) else tree


FORMATS: dict[str, Callable[[Sequence[Outcome]], str]] = {"text": as_text, "json": as_json, "junit": as_junit}
