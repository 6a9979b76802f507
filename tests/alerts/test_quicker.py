"""Which parts of the rules are scaled. (``make test-alerts`` causes every alert.)"""

from pathlib import Path

import promql_parser
import pytest
import yaml

from tests.alerts.conditions import CONDITIONS
from tests.alerts.quicker import FASTER, quicker, quicker_rules, seconds

RULES = Path(__file__).parents[2] / "deploy" / "observability" / "alerts.yaml"


@pytest.mark.parametrize(
    ("given", "quickened"),
    [
        ('max(a{b=~"c|d"}) > 1800', 'max(a{b=~"c|d"}) > 60'),
        ("increase(a_total[30m]) > 0", "increase(a_total[60s]) > 0"),
        ("sum(increase(a[5m])) > 5 or b > 30", "sum(increase(a[10s])) > 5 or b > 30"),
        ("a unless a offset 1h", "a unless a offset 120s"),
        ("min(a / b) < 0.1", "min(a / b) < 0.1"),
        ("increase(a[1m])", "increase(a[10s])"),
    ],
)
def test_quicker_scales_times_only(given: str, quickened: str) -> None:
    assert quicker(given) == quickened


def test_quicker_rules_keep_their_names_and_stay_valid() -> None:
    given = _rules(yaml.safe_load(RULES.read_text(encoding="utf-8")))
    quickened = _rules(quicker_rules(RULES))
    assert list(quickened) == list(given)
    for name, rule in quickened.items():
        promql_parser.parse(rule["expr"])
        if "for" in rule:
            assert seconds(rule["for"]) == max(1, seconds(given[name]["for"]) // FASTER)


def test_every_alert_is_caused() -> None:
    caused = {alert for condition in CONDITIONS for alert in condition.alerts}
    assert caused == set(_rules(yaml.safe_load(RULES.read_text(encoding="utf-8"))))


def _rules(document: dict) -> dict[str, dict]:
    return {rule["alert"]: rule for group in document["groups"] for rule in group["rules"]}
