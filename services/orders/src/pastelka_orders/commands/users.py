"""``users add | list | passwd | role | disable | enable | remove``: users who sign in with a password.

A password is never an argument, which would expose it to other processes and the shell's history: it is
prompted for on a terminal, else it is the first line of standard input.
"""

import argparse
import getpass
import sys
from collections.abc import Awaitable, Callable
from typing import get_args

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.access.errors import UserExistsError, UserNotFoundError, WeakPasswordError
from pastelka_orders.access.passwords import MIN_LENGTH, Passwords, password_problem
from pastelka_orders.access.principal import Role
from pastelka_orders.commands.output import print_json, print_line
from pastelka_orders.commands.session import database
from pastelka_orders.repository import accounts, known_devices, sessions
from pastelka_orders.repository.accounts import Account
from pastelka_orders.settings import OrdersSettings

_MAX_NAME_LENGTH = 100

Change = Callable[[AsyncConnection], Awaitable[int | None]]
"""Changes a user; returns its id, or ``None`` if there is no such user."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    parser = commands.add_parser("users", help="users who sign in with a password")
    actions = parser.add_subparsers(required=True)
    added = actions.add_parser("add", help="add one; the password is read from terminal or standard input")
    added.set_defaults(run=_add)
    listed = actions.add_parser("list", help="all of them")
    listed.set_defaults(run=_list)
    listed.add_argument("--json", action="store_true", help="as JSON")
    for name, run, text in (
        ("passwd", _passwd, "set a new password; ends all sessions"),
        ("role", _role, "make a user a viewer or an operator, effective immediately"),
        ("disable", _disable, "disable a user; ends all sessions"),
        ("enable", _enable, "enable a disabled user"),
        ("remove", _remove, "delete one; ends all sessions"),
    ):
        action = actions.add_parser(name, help=text)
        action.set_defaults(run=run)
        action.add_argument("name", type=printable_name)
        if name == "role":
            action.add_argument("role", choices=get_args(Role))
    added.add_argument("name", type=printable_name)
    added.add_argument("--role", choices=get_args(Role), default="operator", help="operator, if not given")


async def _add(args: argparse.Namespace) -> None:
    async with database(OrdersSettings.load()) as orders:
        if await orders.read(lambda c: accounts.find(c, args.name)) is not None:
            raise UserExistsError(args.name)
        hashed = await _new_password_hash()
        if not await orders.write(lambda c: accounts.add(c, args.name, args.role, hashed)):
            raise UserExistsError(args.name)
    print_line(f"{args.name} is added: {args.role}")


async def _list(args: argparse.Namespace) -> None:
    async with database(OrdersSettings.load()) as orders:
        found = await orders.read(accounts.list_all)
    if args.json:
        print_json([_document(one) for one in found])
        return
    for one in found:
        state = "disabled" if one.disabled_at else "enabled"
        seen = one.last_seen_at.isoformat(timespec="minutes") if one.last_seen_at else "no session"
        print_line(f"{one.name:<24} {one.role:<8} {state:<8} {seen}")
    print_line(f"{len(found)} users")


async def _passwd(args: argparse.Namespace) -> None:
    async with database(OrdersSettings.load()) as orders:
        if await orders.read(lambda c: accounts.find(c, args.name)) is None:
            raise UserNotFoundError(args.name)
        hashed = await _new_password_hash()
    ended = await _change(args.name, lambda c: accounts.set_password(c, args.name, hashed))
    print_line(f"{args.name} has a new password; {ended} sessions ended")


async def _role(args: argparse.Namespace) -> None:
    await _change(args.name, lambda c: accounts.set_role(c, args.name, args.role), ends=False)
    print_line(f"{args.name} is now {args.role}")


async def _disable(args: argparse.Namespace) -> None:
    ended = await _change(args.name, lambda c: accounts.set_disabled(c, args.name, disabled=True))
    print_line(f"{args.name} is disabled; {ended} sessions ended")


async def _enable(args: argparse.Namespace) -> None:
    await _change(args.name, lambda c: accounts.set_disabled(c, args.name, disabled=False), ends=False)
    print_line(f"{args.name} is enabled")


async def _remove(args: argparse.Namespace) -> None:
    await _change(args.name, lambda c: accounts.remove(c, args.name), ends=False)
    print_line(f"{args.name} is removed")


async def _change(name: str, change: Change, *, ends: bool = True) -> int:
    """Change a user; if ``ends``, end its sessions and return how many. Raises ``UserNotFoundError``."""

    async def work(connection: AsyncConnection) -> int:
        user_id = await change(connection)
        if user_id is None:
            raise UserNotFoundError(name)
        if not ends:
            return 0
        await known_devices.remove_of(connection, user_id)
        return await sessions.remove_of(connection, user_id)

    async with database(OrdersSettings.load()) as orders:
        return await orders.write(work)


async def _new_password_hash() -> str:
    # Blocking is fine here, and Ctrl-C could not interrupt a thread.
    password = _read_password()
    if reason := password_problem(password):
        raise WeakPasswordError(f"{reason} Nothing was changed.")
    return await Passwords().hash_password(password)


def _read_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass(f"Password (at least {MIN_LENGTH} characters): ")
    if getpass.getpass("Repeat: ") != password:
        raise WeakPasswordError("The passwords differ; nothing was changed.")
    return password


def _document(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "role": account.role,
        "created_at": account.created_at.isoformat(),
        "disabled_at": account.disabled_at.isoformat() if account.disabled_at else None,
        "last_seen_at": account.last_seen_at.isoformat() if account.last_seen_at else None,
    }


def printable_name(text: str) -> str:
    """A name from the command line, without surrounding spaces."""
    name = text.strip()
    if not name or len(name) > _MAX_NAME_LENGTH or not name.isprintable():
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a name of 1 to {_MAX_NAME_LENGTH} printable characters"
        )
    return name
