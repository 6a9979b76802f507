"""``refused-messages list | retry | discard``: messages that the broker permanently refuses."""

import argparse
import json
from dataclasses import asdict

from pastelka_orders.commands.output import print_json, print_line
from pastelka_orders.commands.session import database
from pastelka_orders.repository import outbox
from pastelka_orders.settings import OrdersSettings

_MAX_LISTED = 1000


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    parser = commands.add_parser("refused-messages", help="messages that the broker permanently refuses")
    actions = parser.add_subparsers(required=True)
    listing = actions.add_parser("list", help="the oldest, oldest first")
    listing.set_defaults(run=_list)
    retry = actions.add_parser("retry", help="publish one again, once the cause is fixed")
    retry.set_defaults(run=_retry)
    discarded = actions.add_parser("discard", help="delete one without publishing it")
    discarded.set_defaults(run=_discard)
    for action in (retry, discarded):
        action.add_argument("id", type=int, help="its number, as listed")
    for action in (listing, retry, discarded):
        action.add_argument("--json", action="store_true", help="as JSON")


async def _list(args: argparse.Namespace) -> None:
    async with database(OrdersSettings.load()) as orders:
        found = await orders.read(lambda c: outbox.refused(c, _MAX_LISTED))
    if args.json:
        print_json([{**asdict(one), "created_at": one.created_at.isoformat()} for one in found])
        return
    for one in found:
        written = one.created_at.isoformat(timespec="seconds")
        print_line(f"{one.id:>8}  {written}  {one.subject:<32} {one.size} bytes  {one.reason}")
    print_line(f"{len(found)} refused messages")


async def _retry(args: argparse.Namespace) -> None:
    async with database(OrdersSettings.load()) as orders:
        await orders.write(lambda c: outbox.retry_refused(c, args.id))
    _done(args, "retried")


async def _discard(args: argparse.Namespace) -> None:
    async with database(OrdersSettings.load()) as orders:
        await orders.write(lambda c: outbox.discard_refused(c, args.id))
    _done(args, "discarded")


def _done(args: argparse.Namespace, what: str) -> None:
    document = json.dumps({"id": args.id, "result": what})
    print_line(document if args.json else f"refused message {args.id} {what}")
