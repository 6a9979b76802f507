"""What docs/art.md says of the pages keeps the goals, and what is quoted of it is what it says."""

import re
from pathlib import Path

import pytest

from tests.bench.art.comparison import Vector
from tests.bench.art.measures import Measures
from tests.bench.art.photos import KINDS
from tests.bench.art.results import Result, Results

ROOT = Path(__file__).parents[2]
ART = (ROOT / "docs/art.md").read_text(encoding="utf-8")


def table(first: str) -> dict[str, dict[str, str]]:
    """The rows of the table whose head starts with ``first``, by their first cell."""
    lines = ART[ART.index(f"\n| {first} |") + 1 :].split("\n\n")[0].splitlines()
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows}


def test_every_photo_is_in_the_table():
    assert list(table("photo")) == list(KINDS)


@pytest.mark.parametrize("photo", KINDS)
def test_page_of_the_child_preset_keeps_the_goals(photo):
    row = table("photo")[photo]

    assert float(row["line between two regions, %"]) >= 95
    assert float(row["open ends / MP"]) <= 12
    assert 6 <= float(row["ink, %"]) <= 9
    assert float(row["specks"]) == 0
    assert float(row["SVG differs, %"]) < 0.5


def test_pages_have_twice_the_fillable_regions_and_small_svgs():
    rows = table("")
    (ratio,) = re.findall(r"An SVG has ([\d.]+) times the bytes", ART)

    fillable = float(rows["child"]["fillable regions"])
    assert fillable >= 2 * float(rows["previous method"]["fillable regions"])
    assert float(ratio) <= 1.5


def test_readme_quotes_the_cost_of_a_page():
    row = table("")["child"]
    said = f"{row['CPU s']} s of CPU, and the process peaks at {row['peak MB']} MB"

    assert said in (ROOT / "services/coloring/README.md").read_text(encoding="utf-8")


def test_results_of_an_interrupted_run_are_found_by_the_next(tmp_path):
    measures = Measures(*range(11))
    results = Results(tmp_path)
    results.save("child", "dog", Result(measures, 4.5, 600.0, Vector(20.5, 0.25)), b"page")
    results.save("Canny", "dog", Result(measures), b"other")
    results.speedup = 1.9
    again = Results(tmp_path)

    assert again.load("child", "dog") == Result(measures, 4.5, 600.0, Vector(20.5, 0.25))
    assert again.load("Canny", "dog") == Result(measures)
    assert again.page("child", "dog") == b"page"
    assert again.load("child", "cow") is None
    assert again.speedup == 1.9
