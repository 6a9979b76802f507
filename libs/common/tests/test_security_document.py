"""The tests that docs/security.md names are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "security.md"
FOLDERS = [
    ROOT,
    ROOT / "services/orders/tests",
    ROOT / "services/orders/tests/erasure",
    ROOT / "services/coloring/tests",
    ROOT / "services/vectorize/tests",
    ROOT / "libs/common/tests/servers",
    ROOT / "tests/browser",
    ROOT / "tests/chart",
]
NAMED = re.compile(r"`([\w./]+\.py)::(\w+)`")


def test_every_test_named_in_the_security_document_exists() -> None:
    named = NAMED.findall(DOCUMENT.read_text(encoding="utf-8"))
    assert len(named) > 50
    assert [f"{file}::{name}" for file, name in named if not _is_there(file, name)] == []


def _is_there(file: str, name: str) -> bool:
    found = [folder / file for folder in FOLDERS if (folder / file).is_file()]
    return any(re.search(rf"^\s*(async )?def {name}\(", path.read_text(), re.MULTILINE) for path in found)
