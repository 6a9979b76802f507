"""``dead-letters list | show | requeue | dismiss``: abandoned jobs."""

import argparse
import json
from datetime import datetime

from pastelka_common.contracts.messages import DeadLetter, now
from pastelka_common.settings import ServiceSettings
from pastelka_orders import dead_letters
from pastelka_orders.commands.output import print_json, print_line
from pastelka_orders.commands.session import broker, database
from pastelka_orders.handlers.requeue import requeue_letter
from pastelka_orders.settings import OrdersSettings
from pastelka_orders.system_schemas import DeadLetterResponse

_HOUR = 3600
_DAY = 24 * _HOUR
_MAX_LISTED = 1000


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    parser = commands.add_parser("dead-letters", help="abandoned jobs")
    actions = parser.add_subparsers(required=True)
    listing = actions.add_parser("list", help="the newest, newest first")
    listing.add_argument("--limit", type=_limit, default=dead_letters.NEWEST, help="at most so many")
    listing.set_defaults(run=_list)
    shown = actions.add_parser("show", help="one with its original message, reason and trace id")
    shown.set_defaults(run=_show)
    requeue = actions.add_parser("requeue", help="enqueue its job again and delete the letter")
    requeue.set_defaults(run=_requeue)
    dismissed = actions.add_parser("dismiss", help="delete it without enqueueing its job")
    dismissed.set_defaults(run=_dismiss)
    for action in (shown, requeue, dismissed):
        action.add_argument("sequence", type=_sequence, help="its number, as listed")
    for action in (listing, shown, requeue, dismissed):
        action.add_argument("--json", action="store_true", help="as JSON")


async def _list(args: argparse.Namespace) -> None:
    async with broker(ServiceSettings.load()) as nc:
        found = await dead_letters.newest(nc, args.limit)
    if args.json:
        print_line(found.model_dump_json(indent=2))
        return
    for letter in found.newest:
        print_line(_line(letter))
    print_line(f"{len(found.newest)} of {found.count} dead letters")


async def _show(args: argparse.Namespace) -> None:
    async with broker(ServiceSettings.load()) as nc:
        letter = await dead_letters.read(nc, args.sequence)
    if args.json:
        print_json(_document(args.sequence, letter))
        return
    print_line(f"number   {args.sequence}")
    print_line(f"subject  {letter.original_subject}")
    print_line(f"reason   {letter.failure.code}: {letter.failure.message}")
    print_line(f"attempt  {letter.attempt}")
    print_line(f"written  {letter.at.isoformat(timespec='seconds')} ({_age(letter.at)} ago)")
    print_line(f"trace    {letter.trace_id or 'none'}")
    print_line("headers")
    for name, value in letter.original_headers.items():
        print_line(f"  {name}: {value}")
    print_line("message")
    print_line(_pretty(letter.original_payload))


async def _requeue(args: argparse.Namespace) -> None:
    settings = OrdersSettings.load()
    async with broker(settings) as nc, database(settings) as orders:
        await requeue_letter(orders, nc, args.sequence)
    _done(args, "requeued")


async def _dismiss(args: argparse.Namespace) -> None:
    async with broker(ServiceSettings.load()) as nc:
        await dead_letters.remove(nc, args.sequence)
    _done(args, "dismissed")


def _done(args: argparse.Namespace, what: str) -> None:
    document = json.dumps({"sequence": args.sequence, "result": what})
    print_line(document if args.json else f"dead letter {args.sequence} {what}")


def _line(letter: DeadLetterResponse) -> str:
    age = _age(letter.at) if letter.at is not None else "?"
    about = f"order {letter.order_number}" if letter.order_number else ""
    reason = f"{letter.code}  {letter.message}"
    return f"{letter.sequence:>6}  {age:>5}  {letter.subject:<24} {reason}  {about}".rstrip()


def _document(sequence: int, letter: DeadLetter) -> dict[str, object]:
    return {
        "sequence": sequence,
        "age_seconds": round((now() - letter.at).total_seconds(), 3),
        **letter.model_dump(mode="json"),
    }


def _age(moment: datetime) -> str:
    seconds = max(int((now() - moment).total_seconds()), 0)
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _pretty(payload: str) -> str:
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except ValueError:
        return payload


def _sequence(text: str) -> int:
    return _number(text, maximum=2**53 - 1)


def _limit(text: str) -> int:
    return _number(text, maximum=_MAX_LISTED)


def _number(text: str, *, maximum: int) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= maximum:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {maximum}")
    return int(text)
