"""``tokens create | list | revoke``: API tokens. A token is printed once and stored as a hash."""

import argparse
import re
import sys
from datetime import timedelta
from typing import get_args

from pastelka_orders.access import secret
from pastelka_orders.access.errors import TokenExistsError, TokenNotFoundError
from pastelka_orders.access.principal import Scope
from pastelka_orders.commands.output import print_json, print_line
from pastelka_orders.commands.session import database
from pastelka_orders.commands.users import printable_name
from pastelka_orders.repository import api_tokens
from pastelka_orders.repository.api_tokens import TokenRow
from pastelka_orders.settings import OrdersSettings

_LIFETIME = re.compile(r"([0-9]{1,6})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_MAX_LIFETIME = timedelta(days=730)


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    parser = commands.add_parser("tokens", help="API tokens")
    actions = parser.add_subparsers(required=True)
    created = actions.add_parser("create", help="create one and print it, once")
    created.set_defaults(run=_create)
    created.add_argument("name", type=printable_name, help="what it is for")
    created.add_argument("--scope", choices=get_args(Scope), default="read", help="read, if not given")
    created.add_argument(
        "--expires",
        type=_lifetime,
        default=timedelta(days=90),
        metavar="90d",
        help="in 90d, 12h or 30m (90d)",
    )
    listed = actions.add_parser("list", help="all of them, without the secrets")
    listed.set_defaults(run=_list)
    listed.add_argument("--json", action="store_true", help="as JSON")
    revoked = actions.add_parser("revoke", help="revoke one, effective immediately")
    revoked.set_defaults(run=_revoke)
    revoked.add_argument("name", type=printable_name)


async def _create(args: argparse.Namespace) -> None:
    token = secret.new_token()
    hashed = secret.hash_secret(token)
    async with database(OrdersSettings.load()) as orders:
        until = await orders.write(lambda c: api_tokens.add(c, args.name, args.scope, hashed, args.expires))
    if until is None:
        raise TokenExistsError(args.name)
    # On standard error, so that standard output is only the token.
    sys.stderr.write(
        f"{args.name} may {args.scope} until {until.isoformat(timespec='minutes')}; "
        "the token is shown only once:\n"
    )
    print_line(token)


async def _list(args: argparse.Namespace) -> None:
    async with database(OrdersSettings.load()) as orders:
        found = await orders.read(api_tokens.list_all)
    if args.json:
        print_json([_document(one) for one in found])
        return
    for one in found:
        used = one.last_used_at.isoformat(timespec="minutes") if one.last_used_at else "never"
        print_line(f"{one.name:<24} {one.scope:<6} {_state(one):<36} used {used}")
    print_line(f"{len(found)} tokens")


async def _revoke(args: argparse.Namespace) -> None:
    async with database(OrdersSettings.load()) as orders:
        if not await orders.write(lambda c: api_tokens.revoke(c, args.name)):
            raise TokenNotFoundError(args.name)
    print_line(f"{args.name} is revoked")


def _state(token: TokenRow) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return f"{'until' if token.is_good else 'expired'} {token.expires_at.isoformat(timespec='minutes')}"


def _document(token: TokenRow) -> dict[str, object]:
    return {
        "name": token.name,
        "scope": token.scope,
        "state": _state(token).partition(" ")[0].replace("until", "good"),
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat(),
        "revoked_at": token.revoked_at.isoformat() if token.revoked_at else None,
        "last_used_at": token.last_used_at.isoformat() if token.last_used_at else None,
    }


def _lifetime(text: str) -> timedelta:
    found = _LIFETIME.fullmatch(text.strip())
    life = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < life <= _MAX_LIFETIME:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 90d, 12h or 30m, up to 730d")
    return life
