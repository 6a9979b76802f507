"""No regular expression of a service takes more than linear time on any input."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pastelka_common.telemetry import QuietExporter
from pastelka_orders.domain import text
from pastelka_orders.shopify.attributes import AttributeNames
from tests.patterns.attacks import ROOT, Attack, FoundPattern, attacks, in_source, patterns
from tests.patterns.growth import MOST_GROWTH, growth

COMPUTED = {
    "services/orders/src/pastelka_orders/shopify/attributes.py": AttributeNames()._photo,
    # The other one is applied to runs of one joiner only: its function is tested below.
    "services/orders/src/pastelka_orders/domain/text.py": text._RUN_OF_JOINERS,
    "libs/common/src/pastelka_common/telemetry.py": QuietExporter(["a-secret", "another secret"])._pattern,
}
"""Patterns that are not constants, as they are used."""


def cases() -> list[FoundPattern]:
    found = []
    for one in patterns():
        if one.pattern is None:
            pattern = COMPUTED[one.where.partition(":")[0]]
            assert pattern is not None
            found.append(replace(one, pattern=pattern.pattern, flags=pattern.flags & ~re.UNICODE))
        else:
            found.append(one)
    return found


def slowest(found: FoundPattern) -> tuple[float, str, Attack | None]:
    """Largest growth of the time when an attack's input doubles; stops at the first above the limit."""
    assert found.pattern is not None
    pattern = re.compile(found.pattern, found.flags)
    worst: tuple[float, str, Attack | None] = (0.0, "", None)
    for name in sorted(found.functions):
        for attack in attacks(found.pattern, found.flags):
            grown = growth(lambda size, name=name, attack=attack: _apply(pattern, name, attack.text(size)))
            worst = max(worst, (grown, name, attack), key=lambda one: one[0])
            if grown > MOST_GROWTH:
                return worst
    return worst


def _apply(pattern: re.Pattern[str] | re.Pattern[bytes], name: str, text: str) -> None:
    subject = text.encode("latin-1") if isinstance(pattern.pattern, bytes) else text
    if name in {"sub", "subn", "split", "findall", "finditer"}:
        for _ in pattern.finditer(subject):  # type: ignore[arg-type]
            pass
    else:
        getattr(pattern, name)(subject)


@pytest.mark.parametrize("found", cases(), ids=lambda one: one.where.rpartition("/")[2])
def test_a_pattern_takes_linear_time(found: FoundPattern) -> None:
    grown, name, attack = slowest(found)
    assert grown <= MOST_GROWTH, f"{found.where}: {found.pattern!r} .{name}, attacked with {attack}"


@pytest.mark.parametrize(
    "pattern", [r"Fotka\s*(?:\(\d+\))?\s*-?\s*([0-9]+)", r"([A-Za-z-]+)\s*\(", r"<(\w+)\s*>"]
)
def test_the_attacks_detect_superlinear_patterns(pattern: str) -> None:
    """Two former patterns and a linear one. An exponential one ends by the time limit."""
    is_slow = pattern != r"<(\w+)\s*>"
    grown, _, attack = slowest(FoundPattern("", pattern, 0, frozenset({"search"})))
    assert (grown > MOST_GROWTH) == is_slow, attack


def test_all_patterns_are_found() -> None:
    source = 'A = re.compile(r"a+")\nA.fullmatch(x)\nre.sub("b", "", x, flags=re.ASCII)\nre.match(f"{x}", y)'
    assert list(in_source(source, "m")) == [
        FoundPattern("m:1", "a+", 0, frozenset({"fullmatch"})),
        FoundPattern("m:3", "b", re.ASCII, frozenset({"sub"})),
        FoundPattern("m:4", None, 0, frozenset({"match"})),
    ]
    assert len(cases()) > 35


def test_model_patterns_use_the_engine_without_backtracking() -> None:
    """pydantic's default, Rust's ``regex``, is linear; its alternative is Python's ``re``."""
    sources = [*ROOT.glob("services/*/src/**/*.py"), *Path(ROOT / "libs/common/src").rglob("*.py")]
    assert [str(path) for path in sources if "regex_engine" in path.read_text("utf-8")] == []


@pytest.mark.parametrize("unit", ["\u200c", "\u200d ", " ", "\U0001f3f4\U000e0030", "\r", "a\u200c"])
@pytest.mark.parametrize("clean", [text.single_line, text.lines])
def test_cleaning_a_text_takes_linear_time(clean: Callable[[str], str], unit: str) -> None:
    assert growth(lambda size: clean(unit * size)) <= MOST_GROWTH
