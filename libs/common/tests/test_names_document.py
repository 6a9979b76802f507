"""What docs/names.md points to is there."""

import re
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_SHORT = {
    name: f"{folder}/src/pastelka_{name}"
    for name, folder in {
        "common": "libs/common",
        "orders": "services/orders",
        "coloring": "services/coloring",
        "vectorize": "services/vectorize",
        "notifier": "services/notifier",
    }.items()
}
_REFERENCE = re.compile(r"`(\w[\w/.-]+\.(?:py|ts|tsx|json))(?:::(\w+))?`")


def test_every_name_in_the_document_exists_at_its_path() -> None:
    references = _REFERENCE.findall((_ROOT / "docs/names.md").read_text())
    assert len(references) > 25
    assert [f"{path}::{name}" for path, name in references if not _is_there(path, name)] == []


def _is_there(path: str, name: str) -> bool:
    first, _, rest = path.partition("/")
    file = _ROOT / (f"{_SHORT[first]}/{rest}" if first in _SHORT else path)
    gone = {"frontend/src/lib/config.ts", "frontend/src/pages/OrderDetail.tsx"}
    if path in gone:
        return not file.exists()
    definition = rf"\b(class|def|function|const|interface|type) {name}\b"
    return file.is_file() and (not name or re.search(definition, file.read_text()) is not None)
