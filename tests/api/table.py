"""Formats the runs as text: operations, cases, responses."""

from collections import Counter
from collections.abc import Sequence

from tests.api.campaign import Outcome

_OTHER = "other methods"


def table(outcomes: Sequence[Outcome]) -> str:
    """One line for each operation and caller, totals, and findings."""
    lines = []
    for outcome in outcomes:
        lines += [f"as {outcome.caller}, seed {outcome.seed}", ""]
        counted = _documented(outcome)
        width = max((len(label) for label in counted), default=0)
        for label, counts in sorted(counted.items()):
            answers = "  ".join(f"{status}: {count}" for status, count in sorted(counts.items()))
            lines.append(f"  {label:<{width}}  {sum(counts.values()):>5}  {answers}")
        sent, fine, found = outcome.cases, outcome.successes, len(outcome.failures)
        lines += ["", f"  {sent} cases, {fine} of them answered 2xx, {found} failed checks", ""]
    total = sum(outcome.cases for outcome in outcomes)
    lines.append(f"{total} cases in all, {sum(len(one.failures) for one in outcomes)} failed checks")
    return "\n".join(lines)


def _documented(outcome: Outcome) -> dict[str, Counter[int]]:
    """Responses by operation; undocumented methods share one line."""
    counted: dict[str, Counter[int]] = {}
    for label, counts in outcome.answers.items():
        counted.setdefault(_OTHER if set(counts) == {405} else label, Counter()).update(counts)
    return counted
