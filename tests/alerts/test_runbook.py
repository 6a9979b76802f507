"""The runbook's table lists the conditions that ``make test-alerts`` causes: it is printed, not typed."""

import re
from pathlib import Path

from tests.alerts.conditions import CONDITIONS

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"
_TABLE = re.compile(r"<!-- printed by make test-alerts -->\n(?P<rows>.*?)<!-- end -->", re.DOTALL)
_SECONDS = re.compile(r"\d+ s")


def _rows() -> list[list[str]]:
    table = _TABLE.search(RUNBOOK.read_text(encoding="utf-8"))
    assert table is not None
    lines = [line for line in table["rows"].splitlines() if line.startswith("| Pastelka")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_runbook_table_lists_every_condition_with_its_remedy() -> None:
    rows = [(alert, what, remedy) for alert, what, _, _, remedy, _ in _rows()]
    assert rows == [
        (alert, condition.what, condition.remedy) for condition in CONDITIONS for alert in condition.alerts
    ]


def test_the_runbook_table_gives_the_delays_of_each_alert() -> None:
    for _, _, fired, said, _, ended in _rows():
        assert _SECONDS.fullmatch(fired)
        assert _SECONDS.fullmatch(ended)
        assert said
