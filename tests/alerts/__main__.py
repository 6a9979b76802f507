"""``python -m tests.alerts`` (``make test-alerts``): cause every alert, and print when it fired and ended."""

import asyncio
import logging
import sys
import tempfile
from pathlib import Path

import structlog

from tests.alerts.exercise import AlertError, Exercised, exercise
from tests.alerts.prometheus import NoPrometheusError, program
from tests.alerts.quicker import FASTER
from tests.faults import disk


def main() -> int:
    """0 if every alert fired and ended."""
    disk.enter_namespace("tests.alerts")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger("nats").setLevel(logging.CRITICAL)
    try:
        program()
        with tempfile.TemporaryDirectory(prefix="pastelka-alerts-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            folder.chmod(0o755)  # PostgreSQL may have to run as another user
            found = asyncio.run(exercise(folder, has_disk=disk.can_mount(), say=_say))
    except (AlertError, NoPrometheusError) as error:
        _say(f"failed: {error}")
        return 1
    print(_table(found))
    return 0


def _table(found: list[Exercised]) -> str:
    lines = [
        f"{one.alert:<28} {one.fired:>6.0f} s  {one.ended:>6.0f} s  {one.what}: {one.summary}"
        for one in found
    ]
    head = f"{'alert':<28} {'fired':>8}  {'ended':>8}  time is {FASTER} times as fast"
    return "\n".join([head, *lines])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
