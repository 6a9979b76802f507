"""Formats the results of the corpus as text."""

import statistics
from collections import defaultdict
from collections.abc import Sequence

from tests.photos.comparing import Outcome

_MEGABYTE = 1e6
_HEAD = (
    f"{'':6} {'files':>6} {'both read':>10} {'both refuse':>12} {'explained':>10} {'findings':>9}"
    f" {'s median':>9} {'s most':>7} {'MB median':>10} {'MB most':>8}"
)


def table(outcomes: Sequence[Outcome]) -> str:
    """One line for each format and one for all."""
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_kind[outcome.case.kind].append(outcome)
    return "\n".join([_HEAD, *(_line(*item) for item in by_kind.items()), _line("all", outcomes)])


def _line(name: str, outcomes: Sequence[Outcome]) -> str:
    agreed = [outcome for outcome in outcomes if outcome.agrees]
    read = sum(outcome.verdict == "accepted" for outcome in agreed)
    findings = sum(outcome.is_finding for outcome in outcomes)
    seconds = [outcome.seconds for outcome in outcomes]
    memory = [outcome.memory / _MEGABYTE for outcome in outcomes]
    return (
        f"{name:6} {len(outcomes):6} {read:10} {len(agreed) - read:12}"
        f" {len(outcomes) - len(agreed) - findings:10} {findings:9}"
        f" {statistics.median(seconds):9.3f} {max(seconds):7.2f}"
        f" {statistics.median(memory):10.0f} {max(memory):8.0f}"
    )


def disagreements(outcomes: Sequence[Outcome]) -> str:
    """Every disagreement with its reason, unexplained ones first."""
    lines = [
        f"{outcome}\n    {outcome.reason or 'NO REASON KNOWN'}"
        for outcome in sorted(outcomes, key=lambda one: one.reason or "")
        if not outcome.agrees
    ]
    return "\n".join(lines)
