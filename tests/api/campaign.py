"""Runs schemathesis against a running API: its configuration and its report."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.api.running import WEBHOOK_SECRET, RunningApi
from tests.api.seed import ExistingIds

_TRUE_IDS = 0.7
"""Share of ids that exist."""


@dataclass(frozen=True)
class Form:
    """Extent of a run. ``phases`` and ``examples`` (per operation) are options of schemathesis.

    ``is_short``: tries one of the undocumented methods of each operation, and of webhooks (many small
    variations of one large document) only the randomly drawn ones.
    """

    examples: int
    phases: str = "examples,coverage,fuzzing,stateful"
    is_short: bool = False


@dataclass
class Outcome:
    """Result of one run of schemathesis: responses by operation, and findings."""

    caller: str
    seed: int
    answers: dict[str, Counter[int]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    exit_code: int = 0
    output: str = ""

    @property
    def cases(self) -> int:
        """Number of requests with a response."""
        return sum(sum(counts.values()) for counts in self.answers.values())

    @property
    def successes(self) -> int:
        """Number of 2xx responses."""
        return sum(n for counts in self.answers.values() for status, n in counts.items() if status < 300)


async def run(
    api: RunningApi,
    known: ExistingIds,
    folder: Path,
    *,
    caller: str,
    token: str | None,
    document: Path,
    seed: int,
    form: Form,
) -> Outcome:
    """Run as one caller, with or without a token; ``document`` is the API's own OpenAPI document."""
    config, report = folder / "schemathesis.toml", folder / "events.ndjson"
    config.write_text(_config(known, token, form))
    argv = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
        *("run", str(document), "--url", api.url, "--checks", "all", "--seed", str(seed)),
        *("--phases", form.phases, "--max-examples", str(form.examples), "--continue-on-failure"),
        *("--report", "ndjson", "--report-ndjson-path", str(report), "--no-color", "--no-shrink"),
        *("--generation-database", "none", "--request-timeout", "60", "--warnings", "off"),
    ]
    root = str(Path(__file__).parents[2])
    env = {
        **os.environ,
        "PYTHONPATH": root,
        "SCHEMATHESIS_HOOKS": "tests.api.hooks",
        "WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    process = await asyncio.create_subprocess_exec(
        *argv,
        env=env,
        cwd=folder,  # the stored examples of earlier runs would change this one
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    outcome = Outcome(caller, seed, exit_code=process.returncode or 0, output=output.decode(errors="replace"))
    _read(report, outcome)
    return outcome


def _read(report: Path, outcome: Outcome) -> None:
    for recorder in _scenarios(report):
        for case_id, interaction in recorder.get("interactions", {}).items():
            case = recorder["cases"][case_id]["value"]
            label = f"{case['method']} {case['path']}"
            response = interaction.get("response")
            status = response["status_code"] if response else 0
            outcome.answers.setdefault(label, Counter())[status] += 1
            failed = [one for one in recorder["checks"].get(case_id, ()) if one["status"] != "success"]
            outcome.failures += [f"{label} answered {status}: {_output(one)}" for one in failed]


def _output(check: dict[str, Any]) -> str:
    info = check.get("failure_info", {}).get("failure", {})
    return f"{check['name']}: {info.get('title', '')} {info.get('message', '')}".strip()


def _scenarios(report: Path) -> Iterator[dict[str, Any]]:
    with report.open(encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            if "ScenarioFinished" in event:
                yield event["ScenarioFinished"]["recorder"]


def _config(known: ExistingIds, token: str | None, form: Form) -> str:
    """Existing ids, and the caller's token."""
    lists: dict[str, Sequence[object]] = {
        "order_number": known.orders,
        "image_id": known.images,
        "version_id": sorted({*known.colorings, *known.svgs}),
        "sequence": known.letters,
    }
    lines = [
        f"parameters = {{ {', '.join(_bound(name) for name in lists)} }}",
        # A generated session cookie beside a valid token would be another caller.
        "generation.with-security-parameters = false",
    ]
    for name, values in lists.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(list(values))}"]
    if form.is_short:
        lines += ["[phases.coverage]", 'unexpected-methods = ["PUT"]']
        lines += [
            "[[operations]]",
            'include-path = "/api/v1/webhooks/shopify"',
            "phases.coverage.enabled = false",
        ]
    if token is not None:
        lines += ["[auth.openapi.token]", f"bearer = {json.dumps(token)}"]
    return "\n".join(lines) + "\n"


def _bound(name: str) -> str:
    return f'"path.{name}" = {{ dictionary = "{name}", probability = {_TRUE_IDS} }}'
