"""Scales the times of the rules down, so that causing every alert takes minutes and not a day.

Windows, offsets, ``for`` and thresholds of ten minutes and more are divided by ``FASTER``. Metrics, labels,
operators and all other thresholds stay as they are.
"""

import re
from pathlib import Path
from typing import Any

import yaml

FASTER = 30
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONG = 600
_WINDOW_AT_LEAST = 10
"""Seconds; Prometheus scrapes every second."""
_DURATION = re.compile(r"(?P<before>\[|offset )(?P<number>\d+)(?P<unit>[smhd])")
_THRESHOLD = re.compile(r"(?P<before>[<>]=? )(?P<number>\d+)(?![\d.])")


def quicker_rules(rules: Path) -> dict[str, Any]:
    """The document of a rules file with scaled times."""
    document: dict[str, Any] = yaml.safe_load(rules.read_text(encoding="utf-8"))
    for group in document["groups"]:
        for rule in group["rules"]:
            rule["expr"] = quicker(rule["expr"])
            if "for" in rule:
                rule["for"] = f"{max(1, seconds(rule['for']) // FASTER)}s"
    return document


def quicker(expression: str) -> str:
    """One expression with scaled times."""
    return _THRESHOLD.sub(_nearer, _DURATION.sub(_shorter, expression))


def seconds(duration: str) -> int:
    """``5m`` is 300."""
    return int(duration[:-1]) * _UNITS[duration[-1]]


def _shorter(found: re.Match[str]) -> str:
    wanted = seconds(found["number"] + found["unit"]) // FASTER
    return f"{found['before']}{max(_WINDOW_AT_LEAST, wanted)}s"


def _nearer(found: re.Match[str]) -> str:
    number = int(found["number"])
    return f"{found['before']}{number // FASTER if number >= _LONG else number}"
