"""docs/operations.md quotes the figures of docs/benchmarks.md."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
_LINE = re.compile(r"^(?P<figure>\S.*?) {2,}(?P<median>[\d,.]+) ", re.MULTILINE)


def _measured() -> dict[str, float]:
    text = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    return {found["figure"]: float(found["median"].replace(",", "")) for found in _LINE.finditer(text)}


@pytest.mark.parametrize(
    ("quoted", "figures"),
    [
        (
            "{:.0f} a second; {:.0f} ms of CPU each in our services, {:.0f} ms with PostgreSQL",
            [
                "images through RunPod (instant fake)",
                "CPU an image, our services",
                "CPU an image, with infrastructure",
            ],
        ),
        (
            "{:.1f} s, {:.0f} in progress at once",
            ["200 RunPod jobs of 10 s, click -> last completed", "RunPod jobs in progress at most"],
        ),
        ("{:,.0f} a second from fact to push", ["status changes, first fact -> last event"]),
        (
            "{:,.0f}, {:,.0f}, {:,.0f} a second",
            [
                "GET single image, 8 connections",
                "GET order of 10 images, 8 connections",
                "GET first 50 orders, 8 connections",
            ],
        ),
        (
            "{:.0f} MiB for our five processes, {:.0f} MiB with the servers",
            [
                "memory of our services meanwhile, at most (PSS)",
                "memory of all processes meanwhile, at most (PSS)",
            ],
        ),
        (
            "committed changes a second; {:,.0f} on two processors",
            ["status changes committed to the database"],
        ),
        (
            "{:.2f} ms a publish, {:,.0f} events a second",
            [
                "publish to acknowledgement, every write synced, median",
                "events in atomic batches of 100, every write synced",
            ],
        ),
    ],
)
def test_sizing_quotes_what_was_measured(quoted: str, figures: list[str]) -> None:
    measured = _measured()
    said = quoted.format(*(measured[figure] for figure in figures))
    assert said in (DOCS / "operations.md").read_text(encoding="utf-8")
