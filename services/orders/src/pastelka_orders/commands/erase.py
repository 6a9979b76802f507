"""``erase customer``: erases all data of one customer, or one of their orders, permanently."""

import argparse
import getpass
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.errors import JobError
from pastelka_common.storage import Storage, StorageUsage, open_storage
from pastelka_orders import order_files
from pastelka_orders.commands.output import print_json, print_line
from pastelka_orders.commands.session import database
from pastelka_orders.database import Database
from pastelka_orders.erasure.eraser import Eraser
from pastelka_orders.errors import ConflictError, OrderNotFoundError
from pastelka_orders.handlers.erasures import request_erasure
from pastelka_orders.repository import erasures
from pastelka_orders.repository.erasures import ErasureRecord, OrderContents, Target
from pastelka_orders.settings import OrdersSettings

_CONFIRMATION = "yes"
_KILO = 1000


class NotErasedError(ConflictError, code="not_erased"):
    """Data remains, or the operator did not confirm."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """One order, and the data to erase."""

    target: Target
    photos: int
    pages: int
    found: StorageUsage


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("erase", help="erase a customer: files and rows, permanently")
    what = parser.add_subparsers(required=True)
    customer = what.add_parser(
        "customer",
        help="all orders with an e-mail, or one order",
        description="Erases orders with their photos, pages and names. This cannot be undone. "
        "Orders made by hand have no e-mail: give their numbers.",
    )
    which = customer.add_mutually_exclusive_group(required=True)
    which.add_argument("--email", type=_email, help="all orders with it; case-insensitive")
    which.add_argument("--order", metavar="NUMBER", help="this order only")
    customer.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    customer.add_argument("--dry-run", action="store_true", help="print what would be erased, change nothing")
    customer.add_argument("--json", action="store_true", help="as JSON; needs --yes or --dry-run")
    customer.set_defaults(run=_erase)


async def _erase(args: argparse.Namespace) -> None:
    if args.json and not (args.yes or args.dry_run):
        raise NotErasedError("--json cannot ask for confirmation: add --yes or --dry-run.")
    settings = OrdersSettings.load()
    storage = open_storage(settings)
    async with database(settings) as orders:
        plans = await _plans(orders, storage, args)
        earlier = await _previous(orders, args) if not plans else None
        if args.dry_run or not plans:
            _print_result(args, plans, [earlier] if earlier is not None else [])
            return
        _confirm(args, plans)
        records = await _erase_all(orders, storage, plans)
    _print_result(args, plans, records)
    left = [record.order_number for record in records if record.erased_at is None]
    if left:
        raise NotErasedError(f"not erased yet: {', '.join(left)}; the worker keeps retrying.")


async def _plans(orders: Database, storage: Storage, args: argparse.Namespace) -> list[_Plan]:
    plans = []
    for target, what in await orders.read(lambda c: _contents(c, args)):
        found = await order_files.count(storage, target.order_id, what.paths)
        plans.append(_Plan(target, what.photos, what.pages, found))
    return plans


async def _contents(
    connection: AsyncConnection, args: argparse.Namespace
) -> list[tuple[Target, OrderContents]]:
    found = []
    for target in await _targets(connection, args):
        what = await erasures.contents(connection, target.order_id)
        if what is not None:
            found.append((target, what))
    return found


async def _targets(connection: AsyncConnection, args: argparse.Namespace) -> Sequence[Target]:
    if args.email is not None:
        return await erasures.of_customer(connection, args.email)
    one = await erasures.by_number(connection, args.order)
    return [] if one is None else [one]


async def _previous(orders: Database, args: argparse.Namespace) -> ErasureRecord | None:
    """The record of an order erased earlier. Raises ``OrderNotFoundError`` if there is none."""
    if args.order is None:
        return None
    record = await orders.read(lambda c: erasures.latest(c, args.order))
    if record is None:
        raise OrderNotFoundError(args.order)
    return record


async def _erase_all(orders: Database, storage: Storage, plans: Sequence[_Plan]) -> list[ErasureRecord]:
    """Request all erasures first: if this is interrupted, the worker finishes them."""
    asked_by = f"command ({getpass.getuser()})"

    async def request_all(connection: AsyncConnection) -> None:
        for plan in plans:
            await request_erasure(connection, plan.target, "customer", asked_by)

    await orders.write(request_all)
    eraser = Eraser(orders, storage)
    return [await _erase_one(orders, eraser, plan.target.order_id) for plan in plans]


async def _erase_one(orders: Database, eraser: Eraser, order_id: int) -> ErasureRecord:
    record = await _record(orders, order_id)
    if record.erased_at is None:
        try:
            await eraser.erase(record)
        except JobError as error:
            reason = error.message
            await orders.write(lambda c: erasures.save_failure(c, order_id, reason))
    return await _record(orders, order_id)


async def _record(orders: Database, order_id: int) -> ErasureRecord:
    record = await orders.read(lambda c: erasures.find(c, order_id))
    if record is None:
        raise NotErasedError(f"no record of order id {order_id}.")
    return record


def _confirm(args: argparse.Namespace, plans: Sequence[_Plan]) -> None:
    if args.yes:
        return
    _list(plans)
    sys.stdout.write(f"Erase this permanently? Type {_CONFIRMATION}: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() != _CONFIRMATION:
        raise NotErasedError("nothing was erased.")


def _print_result(args: argparse.Namespace, plans: Sequence[_Plan], records: Sequence[ErasureRecord]) -> None:
    if args.json:
        document = {
            "dry_run": args.dry_run,
            "orders": [_document(plan) for plan in plans],
            "records": [_of_record(record) for record in records],
        }
        print_json(document)
        return
    if args.dry_run or not records:
        _list(plans)
    for record in records:
        print_line(_line(record))


def _list(plans: Sequence[_Plan]) -> None:
    for plan in plans:
        print_line(f"order {plan.target.order_number}: {_amounts([plan])}")
    print_line(f"{_count(len(plans), 'order')} in all: {_amounts(plans)}" if plans else "nothing to erase")


def _amounts(plans: Sequence[_Plan]) -> str:
    photos, pages = sum(plan.photos for plan in plans), sum(plan.pages for plan in plans)
    files, size = sum(plan.found.files for plan in plans), sum(plan.found.bytes for plan in plans)
    counts = [_count(photos, "photo"), _count(pages, "page"), _count(files, "file"), _size(size)]
    return ", ".join(counts)


def _document(plan: _Plan) -> dict[str, object]:
    return {
        "order_number": plan.target.order_number,
        "photos": plan.photos,
        "pages": plan.pages,
        "files": plan.found.files,
        "bytes": plan.found.bytes,
    }


def _of_record(record: ErasureRecord) -> dict[str, object]:
    return {
        "order_number": record.order_number,
        "reason": record.reason,
        "asked_by": record.asked_by,
        "asked_at": _moment(record.asked_at),
        "erased_at": _moment(record.erased_at),
        "photos": record.photos,
        "pages": record.pages,
        "files": record.files,
        "bytes": record.bytes,
        "error": record.last_error,
    }


def _line(record: ErasureRecord) -> str:
    if record.erased_at is None:
        return f"order {record.order_number} not erased yet: {record.last_error or 'in progress'}"
    counts = [
        _count(record.photos or 0, "photo"),
        _count(record.pages or 0, "page"),
        _count(record.files or 0, "file"),
        _size(record.bytes or 0),
    ]
    by = f" by {record.asked_by}" if record.asked_by else ""
    when = record.erased_at.isoformat(timespec="seconds")
    return f"order {record.order_number} erased {when} ({record.reason}{by}): {', '.join(counts)}"


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment is not None else None


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _size(size: int) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < _KILO:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= _KILO  # type: ignore[assignment]
    return f"{size:.1f} GB"


def _email(given: str) -> str:
    name, at, host = given.strip().rpartition("@")
    if not (name and at and host):
        raise argparse.ArgumentTypeError(f"{given!r} is not an e-mail address")
    return given.strip()
