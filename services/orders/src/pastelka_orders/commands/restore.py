"""``backup-record``: writes the record to store with backups; ``after-restore``: reconciles a restore."""

import argparse
import os
import sys
from pathlib import Path

from pastelka_common.storage import open_storage
from pastelka_orders.commands.output import print_json, print_line
from pastelka_orders.commands.session import broker, database
from pastelka_orders.reconciler.reconcile_pass import ReconcilePass, Repair
from pastelka_orders.restore.reconcile_after_restore import RestoreReport, reconcile_after_restore
from pastelka_orders.restore.record import BackupRecord, create_record, parse_record, read_record
from pastelka_orders.settings import OrdersSettings

_MAX_SHOWN = 20


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    recorded = commands.add_parser(
        "backup-record", help="print what a restore must not bring back; store it with the backups"
    )
    recorded.add_argument("--out", type=Path, help="write it to this file atomically instead of printing it")
    recorded.set_defaults(run=_record)
    after_restore = commands.add_parser(
        "after-restore",
        help="reconcile a restored database with storage and broker, before services start",
        description="Purges the broker, ends all sessions, repeats the erasures in the record, "
        "resumes paid provider jobs that have markers in the storage, and checks every file.",
    )
    which = after_restore.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="the newest output of backup-record; - reads standard input",
    )
    which.add_argument(
        "--no-record", action="store_true", help="there is no record: erased data may come back"
    )
    after_restore.add_argument(
        "--dry-run", action="store_true", help="print what would be done, change nothing"
    )
    after_restore.add_argument("--json", action="store_true", help="as JSON")
    after_restore.set_defaults(run=_after_restore)


async def _record(args: argparse.Namespace) -> None:
    async with database(OrdersSettings.load()) as orders:
        record = await orders.write(create_record)
    text = record.model_dump_json(indent=2) + "\n"
    if args.out is None:
        sys.stdout.write(text)
    else:
        _write(args.out, text)


def _write(file: Path, text: str) -> None:
    temporary = file.with_name(f".{file.name}.tmp")
    with temporary.open("w", encoding="utf-8") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    temporary.replace(file)


async def _after_restore(args: argparse.Namespace) -> None:
    settings = OrdersSettings.load()
    record = None if args.record is None else _read(args.record)
    storage = open_storage(settings)
    async with broker(settings) as nc, database(settings) as orders:
        reconcile_pass = ReconcilePass(orders, nc, storage, 0.0, dry_run=args.dry_run)
        found = await reconcile_after_restore(reconcile_pass, record)
    if args.json:
        print_json({"dry_run": args.dry_run, **found.document()})
        return
    for line in _lines(found):
        print_line(line)


def _read(file: Path) -> BackupRecord:
    # Standard input is often the only way into a container.
    if file == Path("-"):
        return parse_record(sys.stdin.buffer.read(), of="Standard input")
    return read_record(file)


def _lines(found: RestoreReport) -> list[str]:
    lost = [one for one in found.files if one.reason == "file_missing"]
    return [
        f"erased again: {_listed(found.erased_again)}",
        f"erased, files checked again: {_listed(found.files_of_erased)}",
        f"sessions ended: {found.sessions_ended}",
        f"users disabled: {_listed(found.users_disabled)}",
        f"tokens revoked: {_listed(found.tokens_revoked)}",
        f"runs resumed at a provider: {_listed(found.runs)}",
        f"files missing: {_listed([_describe(one) for one in lost])}",
        f"files found again: {len(found.files) - len(lost)}",
        f"folders of orders that are not in the database: {_listed(map(str, found.unowned_folders))}",
        f"next manual order number: M{found.ids['manual_order_number_seq'] + 1}",
    ]


def _describe(lost: Repair) -> str:
    return f"{lost.kind} {lost.about['path']}"


def _listed(names: "list[str] | map[str]") -> str:
    given = list(names)
    shown = ", ".join(given[:_MAX_SHOWN])
    more = f" and {len(given) - _MAX_SHOWN} more" if len(given) > _MAX_SHOWN else ""
    return f"{len(given)}" + (f" ({shown}{more})" if given else "")
