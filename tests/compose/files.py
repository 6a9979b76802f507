"""The Compose files and ``.env.example``, as data."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "compose"
MAIN = FOLDER / "compose.yaml"
EXAMPLE = ROOT / ".env.example"

_REFERENCE = re.compile(r"\$\{(?P<name>[A-Z0-9_]+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")
_EXAMPLE_LINE = re.compile(r"(?P<off># )?(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)")


@dataclass(frozen=True)
class Setting:
    """A line of ``.env.example``; ``explained``: a comment stands above it or above its group."""

    value: str
    required: bool
    explained: bool


def services(file: Path = MAIN) -> dict[str, Any]:
    """The services of a Compose file, with merges resolved and variables unsubstituted."""
    found: dict[str, Any] = yaml.safe_load(file.read_text())["services"]
    return found


def environment(service: str) -> dict[str, str | None]:
    """Environment of a service with variables unsubstituted; ``None``: passed through if set."""
    return dict(services()[service].get("environment") or {})


def filled(text: object, given: dict[str, str]) -> str:
    """Substitute the variables of ``text`` with ``given`` or their defaults, as Compose does."""
    return _REFERENCE.sub(
        lambda match: given.get(match["name"]) or (match["rest"] if match["kind"] == "-" else ""), str(text)
    )


def used_variables() -> set[str]:
    """Every variable that a Compose file reads from ``.env``."""
    names: set[str] = set()
    for file in FOLDER.glob("compose*.yaml"):
        names |= {match["name"] for match in _REFERENCE.finditer(file.read_text())}
        for service in services(file).values():
            variables = service.get("environment") or {}
            names |= {name for name, value in variables.items() if value is None}
    return names


def example() -> dict[str, Setting]:
    """The settings of ``.env.example``."""
    settings: dict[str, Setting] = {}
    explained = False
    for line in EXAMPLE.read_text().splitlines():
        match = _EXAMPLE_LINE.fullmatch(line)
        if match:
            settings[match["name"]] = Setting(match["value"], match["off"] is None, explained)
        elif line.startswith("# ") and not line.startswith("# ---"):
            explained = True
        else:
            explained = False
    return settings
