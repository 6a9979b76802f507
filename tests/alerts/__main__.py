"""``python -m tests.alerts`` (``make test-alerts``): cause every alert, print when it fired and resolved."""

import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

import structlog

from tests.alerts.exercise import AlertRun, exercise
from tests.alerts.prometheus import PrometheusMissingError, program
from tests.alerts.quicker import FASTER
from tests.faults import disk


def main() -> int:
    """0 if every alert fired and resolved."""
    disk.enter_namespace("tests.alerts")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger("nats").setLevel(logging.CRITICAL)
    begun = time.monotonic()
    try:
        program()
        with tempfile.TemporaryDirectory(prefix="pastelka-alerts-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            folder.chmod(0o755)  # PostgreSQL may run as another user
            found = asyncio.run(exercise(folder, has_disk=disk.can_mount(), say=_say))
    except (AssertionError, RuntimeError, PrometheusMissingError) as error:
        _say(f"failed: {error}")
        return 1
    print(_table(found))
    _say(f"{len(found)} alerts in {time.monotonic() - begun:.0f} s; time was {FASTER} times as fast")
    return 0


def _table(found: list[AlertRun]) -> str:
    """The table in the runbook's format."""
    rows = [
        f"| {one.alert} | {one.what} | {one.fired:.0f} s | {one.summary} | {one.remedy} | {one.ended:.0f} s |"
        for one in found
    ]
    head = "| alert | caused by | fired after | summary | remedy | resolved after |"
    return "\n".join([head, "| --- | --- | --- | --- | --- | --- |", *rows])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
