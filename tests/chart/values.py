"""The table of values in the chart's README: ``python -m tests.chart.values`` writes it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from tests.chart.chart import FOLDER

BEGIN, END = "<!-- values -->", "<!-- /values -->"
_KEY = re.compile(r"( *)([A-Za-z][A-Za-z0-9]*):")
_LONGEST = 60


@dataclass(frozen=True)
class DocumentedValue:
    """A value that has a comment."""

    path: tuple[str, ...]
    text: str


@cache
def values() -> dict[str, Any]:
    """``values.yaml``."""
    loaded: dict[str, Any] = yaml.safe_load((FOLDER / "values.yaml").read_text())
    return loaded


def documented() -> list[DocumentedValue]:
    """Every value with a comment above it, in file order."""
    found, comment = [], list[str]()
    path: list[str] = []
    for line in (FOLDER / "values.yaml").read_text().splitlines():
        stripped = line.strip()
        if stripped.startswith("#"):
            comment.append(stripped.lstrip("# "))
            continue
        key = _KEY.match(line)
        if key:
            path = [*path[: len(key.group(1)) // 2], key.group(2)]
            if comment:
                found.append(DocumentedValue(tuple(path), " ".join(comment)))
        comment = []
    return found


def leaves(part: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of all values that are not maps (an empty map is a value)."""
    if isinstance(part, dict) and part:
        for key, inner in part.items():
            yield from leaves(inner, (*path, key))
    else:
        yield path


def at(path: tuple[str, ...]) -> Any:
    """The default of a value."""
    part: Any = values()
    for key in path:
        part = part[key]
    return part


def table() -> str:
    """The table in Markdown."""
    known = documented()
    lines = ["| value | default | meaning |", "| --- | --- | --- |"]
    for one in known:
        has_own = any(other.path[: len(one.path)] == one.path and other is not one for other in known)
        name = ".".join(one.path)
        default = "" if has_own else _shown(at(one.path))
        text = one.text.replace("|", "\\|")
        lines.append(f"| **{name}** | | {text} |" if has_own else f"| `{name}` | {default} | {text} |")
    return "\n".join(lines)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if value in ("", None, [], {}):
        return {"": "empty", "null": "null", "[]": "`[]`", "{}": "`{}`"}.get(str(value) or "", "null")
    return f"`{text.strip(chr(34))}`" if len(text) <= _LONGEST else "see values.yaml"


def main() -> None:
    """Write the table into the README."""
    readme = FOLDER / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    readme.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}")


if __name__ == "__main__":
    main()
