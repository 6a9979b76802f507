"""The alert rules, the Grafana dashboard and the runbook agree, and use existing metrics."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY

import pastelka_coloring
import pastelka_common
import pastelka_notifier
import pastelka_orders
import pastelka_vectorize

_ROOT = Path(__file__).parents[2]
_RULES = _ROOT / "deploy" / "observability" / "alerts.yaml"
_DASHBOARD = _ROOT / "deploy" / "observability" / "dashboard.json"
_RUNBOOK = _ROOT / "docs" / "runbook.md"
_SERVICES = (pastelka_common, pastelka_orders, pastelka_coloring, pastelka_vectorize, pastelka_notifier)
_SECTIONS = ("What it means", "What to look at", "What to do", "How it was exercised")
_NOT_IMPORTED = ("testing", "servers", "__main__", "migrations.env", "migrations.versions")


def _rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(_RULES.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def _targets() -> list[tuple[str, str]]:
    panels = json.loads(_DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [(p["title"], target["expr"]) for p in panels for target in p.get("targets", [])]


_EXPRESSIONS = [(rule["alert"], rule["expr"]) for rule in _rules()] + _targets()


@pytest.fixture(scope="module")
def series() -> dict[str, set[str]]:
    """Series that the services' modules declare, with their labels."""
    for package in _SERVICES:
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not any(part in module.name for part in _NOT_IMPORTED):
                importlib.import_module(module.name)
    return dict(_declared())


def _declared() -> Iterator[tuple[str, set[str]]]:
    for collector in set(REGISTRY._collector_to_names):
        names = REGISTRY._collector_to_names[collector]
        labels = set(getattr(collector, "_labelnames", ()))
        for name in names:
            yield name, labels | ({"le"} if name.endswith("_bucket") else set())


def _selectors(expression: Any) -> Iterator[promql_parser.VectorSelector]:
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        part = getattr(expression, name, None)
        if part is not None and not isinstance(part, str):
            yield from _selectors(part)
    for argument in getattr(expression, "args", None) or ():
        yield from _selectors(argument)


@pytest.mark.parametrize(("what", "expression"), _EXPRESSIONS, ids=[f"{n}" for n in range(len(_EXPRESSIONS))])
def test_every_expression_uses_existing_metrics_and_labels(
    what: str, expression: str, series: dict[str, set[str]]
) -> None:
    parsed = promql_parser.parse(expression)
    found = list(_selectors(parsed))
    assert found, f"{what} selects nothing"
    for selector in found:
        assert selector.name in series, f"{what}: no service has {selector.name}"
        wrong = {m.name for m in selector.matchers.matchers} - series[selector.name]
        assert not wrong, f"{what}: {selector.name} has no labels {wrong}"
    known = {"instance"}.union(*(series[s.name] for s in found if s.name))
    for grouped in re.findall(r"(?:by|on) \(([^)]*)\)", expression):
        assert {name.strip() for name in grouped.split(",")} <= known, f"{what}: {grouped}"


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule["alert"])
def test_every_alert_has_its_entry_in_the_runbook(rule: dict[str, Any]) -> None:
    name = rule["alert"]
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"
    assert rule["labels"]["severity"] in {"warning", "critical"}
    entries = _runbook()
    assert name in entries, f"docs/runbook.md has no entry {name}"
    for section in _SECTIONS:
        assert f"**{section}.**" in entries[name], f"{name} does not say: {section}"


def test_the_runbook_has_no_entry_without_an_alert() -> None:
    assert {name for name in _runbook() if name.startswith("Pastelka")} == {
        rule["alert"] for rule in _rules()
    }


def _runbook() -> dict[str, str]:
    parts = re.split(r"^### (.+)$", _RUNBOOK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_a_metric_that_is_documented_exists(series: dict[str, set[str]]) -> None:
    readmes = [*(_ROOT / "libs").glob("*/README.md"), *(_ROOT / "services").glob("*/README.md")]
    documented = {name for readme in readmes for name in _metrics_in(readme)}
    families = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in series} | set(series)
    assert documented
    assert documented <= families, documented - families


def _metrics_in(readme: Path) -> set[str]:
    pattern = r"`((?:pastelka|http|messaging)_[a-z_]+_(?:seconds|total|state|hand|bytes|messages|letters))\b"
    return set(re.findall(pattern, readme.read_text(encoding="utf-8")))


@pytest.mark.usefixtures("series")
@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("pastelka_versions_ended_total", {"kind": "coloring", "outcome": "completed", "code": ""}),
        ("pastelka_versions_ended_total", {"kind": "svg", "outcome": "completed", "code": ""}),
        ("pastelka_updates_failed_total", {"reason": "unavailable"}),
    ],
)
def test_counters_used_by_alerts_exist_before_the_first_increase(name: str, labels: dict[str, str]) -> None:
    assert REGISTRY.get_sample_value(name, labels) is not None
