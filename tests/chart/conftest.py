"""Tests of the chart use helm's output; they are skipped if helm cannot be built (no Go)."""

import pytest

from tests.chart.chart import CASES, Rendered, rendered, skip_reason


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of this folder if helm cannot be built."""
    reason = skip_reason()
    if reason is None:
        return
    for item in items:
        if "tests/chart/" in item.nodeid:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Rendered:
    """The chart rendered with each file of values."""
    return rendered(request.param)
