"""The page on the faults of shops and photos names tests that exist."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
PAGE = REPOSITORY / "docs" / "shop.md"
NAMED = re.compile(r"`(test_\w+)`(?:[^`()|]|`test_\w+`)*\(([\w/]+\.py)\)")
ALONE = re.compile(r"`(test_\w+)`")


def test_every_test_on_the_page_exists() -> None:
    page = PAGE.read_text(encoding="utf-8")
    named = NAMED.findall(page)
    missing = [
        (name, file)
        for name, file in named
        if not re.search(rf"def {name}\(", (REPOSITORY / file).read_text(encoding="utf-8"))
    ]
    assert missing == []
    files = [(REPOSITORY / file).read_text(encoding="utf-8") for _, file in named]
    assert [name for name in ALONE.findall(page) if not any(f"def {name}(" in one for one in files)] == []
    assert len(named) > 60


def test_every_fault_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [number for number in range(28, 51) if f"| {number} | " not in page] == []
