"""``python -m tests.faults``: runs the fault suite once or several times."""

import argparse
import asyncio
import contextlib
import dataclasses
import logging
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import structlog

from tests.faults import disk, plan, upgrade
from tests.faults.result import Result
from tests.faults.run import run
from tests.faults.upgrade import UpgradeResult


def main() -> int:
    """0 if no run found a violation."""
    arguments = _arguments()
    disk.enter_namespace()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger("nats").setLevel(logging.CRITICAL)
    if arguments.upgrade:
        return 1 if _upgrade(arguments).violations else 0
    results = [_one(seed, arguments) for seed in arguments.seeds]
    if len(results) > 1:
        for result in results:
            print(f"seed {result.seed}: {len(result.violations)} violations, {result.seconds:.0f} s")
    return 1 if any(result.violations for result in results) else 0


def _upgrade(arguments: argparse.Namespace) -> UpgradeResult:
    eras = ("future",) if arguments.short else ("future", "present")
    with _folder(arguments) as folder:
        upgraded = asyncio.run(upgrade.run(folder, eras))
    print(upgraded.table(), flush=True)
    if arguments.json is not None:
        upgraded.write(arguments.json / "upgrade.json")
    return upgraded


def _one(seed: int, arguments: argparse.Namespace) -> Result:
    shape = _shape(arguments)
    with _folder(arguments) as folder:
        result = asyncio.run(run(folder, seed, shape, cluster=arguments.cluster, say=_say))
    print(result.table(), flush=True)
    if arguments.json is not None:
        form = "short" if arguments.short else "full"
        result.write(arguments.json / f"{form}{'-cluster' if arguments.cluster else ''}-{seed}.json")
    return result


@contextlib.contextmanager
def _folder(arguments: argparse.Namespace) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="pastelka-faults-", dir=arguments.folder))
    folder.chmod(0o755)  # PostgreSQL may run as another user
    try:
        yield folder
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)


def _shape(arguments: argparse.Namespace) -> plan.Shape:
    shape = plan.SHORT if arguments.short else plan.FULL
    if arguments.images is not None:
        orders = max(1, arguments.images * shape.orders // shape.images)
        shape = dataclasses.replace(shape, images=arguments.images, orders=orders)
    if arguments.window is not None:
        shape = dataclasses.replace(shape, window=arguments.window)
    return dataclasses.replace(shape, faults=tuple(arguments.only))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "--seed", dest="seeds", type=_seeds, help="one or several, 1,2,3 or 1-10 (default: a new one)"
    )
    parser.add_argument("--images", type=int, help="default 200 in 20 orders; with --short 24 in 4")
    parser.add_argument("--window", type=float, help="duration of the faults in seconds")
    parser.add_argument("--short", action="store_true", help="the short form, part of make test")
    parser.add_argument("--upgrade", action="store_true", help="rolling restarts instead of faults")
    parser.add_argument("--cluster", action="store_true", help="three nats-servers, three replicas")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="WORDS",
        help="only faults whose name begins with this, such as 'kill nats'",
    )
    parser.add_argument("--folder", type=Path, help="folder of the data (default: temporary)")
    parser.add_argument("--json", type=Path, metavar="DIR", help="write each run's result to this folder")
    parser.add_argument("--keep", action="store_true", help="keep the data and the logs")
    arguments = parser.parse_args()
    arguments.seeds = arguments.seeds or [random.SystemRandom().randrange(1_000_000)]
    return arguments


def _seeds(text: str) -> list[int]:
    seeds: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


if __name__ == "__main__":
    sys.exit(main())
