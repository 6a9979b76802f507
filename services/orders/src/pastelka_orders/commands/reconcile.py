"""``reconcile [--dry-run]``: runs one pass of the reconciler."""

import argparse
import asyncio
from dataclasses import asdict

from pastelka_common.messaging.topology import ensure_streams
from pastelka_common.storage import open_storage
from pastelka_orders.commands.output import print_json, print_line
from pastelka_orders.commands.session import broker, database
from pastelka_orders.reconciler.loop import Reconciler
from pastelka_orders.reconciler.reconcile_pass import ReconcilePass, Repair
from pastelka_orders.settings import OrdersSettings

_MAX_TRIES = 60
_RETRY_DELAY = 0.5


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("reconcile", help="repair stuck rows; a worker publishes the messages")
    parser.add_argument("--dry-run", action="store_true", help="print what would be repaired, change nothing")
    parser.add_argument("--grace", type=_seconds, help="seconds without a change before a row is repaired")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=_reconcile)


async def _reconcile(args: argparse.Namespace) -> None:
    settings = OrdersSettings.load()
    grace = settings.reconcile_grace if args.grace is None else args.grace
    async with broker(settings) as nc, database(settings) as orders:
        if not args.dry_run:
            await ensure_streams(nc, settings.stream_replicas)
        reconciler = Reconciler(
            orders, nc, open_storage(settings), interval=settings.reconcile_interval, grace=grace
        )
        found = await _pass(reconciler, dry_run=args.dry_run)
    _print_result(args, found)


async def _pass(reconciler: Reconciler, *, dry_run: bool) -> ReconcilePass:
    """Run a pass, after waiting for one that a worker is running."""
    for _ in range(_MAX_TRIES):
        found = await reconciler.run_once(dry_run=dry_run)
        if found is not None:
            return found
        await asyncio.sleep(_RETRY_DELAY)
    raise ConnectionError("a worker has been reconciling for 30 seconds; try again later")


def _print_result(args: argparse.Namespace, found: ReconcilePass) -> None:
    if args.json:
        document = {
            "dry_run": args.dry_run,
            "examined": found.examined,
            "repaired": [asdict(one) for one in found.repaired],
        }
        print_json(document)
        return
    for one in found.repaired:
        print_line(_line(one))
    what = "to repair" if args.dry_run else "repaired"
    print_line(f"{found.examined} active versions, {len(found.repaired)} rows {what}")


def _line(one: Repair) -> str:
    about = " ".join(f"{name}={value}" for name, value in one.about.items())
    return f"{one.kind:<9} {one.reason:<24} {about}"


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86400:  # noqa: PLR2004 - a day
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 86400")
    return seconds
