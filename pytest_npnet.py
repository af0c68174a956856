"""The pytest plugin of npnet: the fixture `check_gradient`, and the mark `gradient` with options for it.

    def test_loss(check_gradient):
        check_gradient(loss, w)

    @pytest.mark.gradient(method="differences")
    def test_compiled(check_gradient):
        check_gradient(compiled_loss, w)

It is a file beside the package because pytest imports it in every run, whether it is used or not. npnet is imported
when a test asks for the fixture.
"""

from collections.abc import Callable
from typing import Any

import pytest

__all__ = ["check_gradient", "pytest_configure"]


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line(
        "markers", "gradient(**options): checks a gradient; the options are those of npnet.check_gradient"
    )


@pytest.fixture
def check_gradient(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return a function like `npnet.check_gradient` that fails the test where a gradient is wrong or was not tested.

    check_gradient(f, *arrays, **options) returns the report if the gradient is confirmed. Options of the mark
    `gradient` hold for every call in the test. A mark nearer to the test, and options of the call, come first.
    """
    from npnet.check import check_gradient as check

    marked: dict[str, Any] = {}
    for mark in request.node.iter_markers("gradient"):
        marked = {**mark.kwargs, **marked}

    def confirmed(f: Callable[..., tuple[Any, Any]], *arrays: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        report = check(f, *arrays, **{**marked, **options})
        if report.verdict != "confirmed":
            pytest.fail(report.summary)
        return report

    return confirmed
