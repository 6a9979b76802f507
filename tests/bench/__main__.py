"""``python -m tests.bench``: measure, and print a table."""

import argparse
import json
import logging
import os
import platform
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
import uvloop

from tests.bench import broker, dashboard, facts, http, images, search, stages
from tests.bench.figures import Results
from tests.bench.system import Options, say

Scenario = Callable[[Options, Results], Awaitable[None]]

SCENARIOS: dict[str, Scenario] = {
    "facts": facts.latency,
    "transitions": facts.transitions,
    "images": images.throughput,
    "jobs": images.jobs_at_once,
    "http": http.requests,
    "clicks": images.clicks,
    "broker": broker.sync_cost,
    "dashboard": dashboard.dashboard,
    "search": search.searches,
    "stages": stages.stages,
}
_BY_DEFAULT = [name for name in SCENARIOS if name not in {"dashboard", "search", "stages"}]
"""The default scenarios.

The dashboard (needs a browser), the search and the stages (a million orders) run only if named.
"""
_BUSY = 0.5
_MARKDOWN = """# Benchmarks

Written by `python -m tests.bench --only {names} --write {file}`;
[what is measured, and how](../tests/bench/README.md). The original is the system that Pastelka
replaces, measured on two cores as well.

```
{report}
```
"""


def main() -> int:
    """0 if everything was measured (with ``--check``: and every target was met), else 1."""
    arguments = _arguments()
    # The connection errors when a stack stops are expected.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    options = Options(arguments.repeat, arguments.orders, arguments.folder)
    environment = _environment()
    begun = time.monotonic()
    results = Results()
    failed = [name for name in arguments.only if not _measure(name, options, results)]
    report = _report(environment, results, time.monotonic() - begun)
    print(report)
    if arguments.write:
        names = ",".join(arguments.only)
        text = _MARKDOWN.format(report=report.strip(), names=names, file=arguments.write)
        arguments.write.write_text(text, encoding="utf-8")
    if failed:
        print(f"not measured, because it failed: {', '.join(failed)}")
    if arguments.json:
        document = {"environment": environment, "figures": results.as_json(), "failed": failed}
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")
    return 1 if failed or (arguments.check and results.missed) else 0


def _measure(name: str, options: Options, results: Results) -> bool:
    """Whether the scenario could be measured; a failure does not stop the others."""
    say(f"{name}: starting the stack")
    try:
        uvloop.run(SCENARIOS[name](options, results))  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - whatever went wrong is shown, and ends in the exit code
        traceback.print_exc()
        return False
    return True


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--only",
        type=_names,
        default=_BY_DEFAULT,
        help=f"some of {','.join(SCENARIOS)} (default: all but dashboard)",
    )
    parser.add_argument(
        "--repeat", type=_positive, default=3, help="number of measurements of each figure (default 3)"
    )
    parser.add_argument(
        "--orders", type=_positive, default=2000, help="number of orders in the list (default 2000)"
    )
    parser.add_argument("--folder", type=Path, help="folder of the data, on a disk (default: temporary)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all values to this file as JSON")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="write the report to this file as Markdown"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    return names


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def _environment() -> dict[str, object]:
    return {
        "processors": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def _report(environment: dict[str, object], results: Results, seconds: float) -> str:
    load = float(str(environment["load_before"]))
    lines = ["", results.table(), ""]
    lines.append(
        f"{environment['processors']} processors, load {load:.2f} before, Python {environment['python']}, "
        f"{seconds:.0f} s; PostgreSQL and JetStream synced every write"
    )
    if load > _BUSY:
        lines.append("The machine was busy: the figures are worse than on an idle machine.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
