"""``python -m pastelka_orders.entrypoints.migrate [upgrade [REV] | downgrade REV | current]``.

Without a command it upgrades to head. Reads ``DATABASE_URL`` (``DATABASE_DIRECT_URL`` if that names a pooler)
and ``STORAGE_PATH``. Exit codes: 2 invalid command line or setting, 1 migration failed.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError

from pastelka_orders import migrations_runner as runner


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    args = _parser().parse_args(arguments)
    url = os.environ.get("DATABASE_DIRECT_URL", "").strip() or os.environ.get("DATABASE_URL", "")
    if not url:
        _print_error(
            "DATABASE_URL is missing; expected postgresql+asyncpg://user:password@host:5432/database"
        )
        return 2
    try:
        asyncio.run(_run(args, url))
    except runner.DatabaseUrlError as error:
        _print_error(f"DATABASE_URL: {error}")
        return 2
    except (runner.MigrationError, DBAPIError, OSError) as error:
        _print_error(f"{args.command} failed: {_first_line(error)}")
        return 1
    return 0


async def _run(args: argparse.Namespace, url: str) -> None:
    storage_path = os.environ.get("STORAGE_PATH")
    if args.command == "current":
        _print_line(f"at {await runner.current(url) or 'empty'}, head is {runner.head()}")
    elif args.command == "downgrade":
        await runner.downgrade(url, args.revision, storage_path=storage_path, report=_print_line)
    else:
        await runner.upgrade(url, args.revision, storage_path=storage_path, report=_print_line)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pastelka_orders.entrypoints.migrate", description="Migrate the database."
    )
    parser.set_defaults(command="upgrade", revision="head")
    commands = parser.add_subparsers(metavar="{upgrade,downgrade,current}")
    up = commands.add_parser("upgrade", help="to REVISION (default: head)")
    up.add_argument("revision", nargs="?", default="head")
    up.set_defaults(command="upgrade")
    down = commands.add_parser("downgrade", help="back to REVISION ('base': before the first)")
    down.add_argument("revision")
    down.set_defaults(command="downgrade")
    commands.add_parser("current", help="print the current revision").set_defaults(command="current")
    return parser


def _first_line(error: Exception) -> str:
    """The cause without the statement and its parameters."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return str(cause).partition("\n")[0]


def _print_line(line: str) -> None:
    sys.stdout.write(f"migrate: {line}\n")
    sys.stdout.flush()


def _print_error(line: str) -> None:
    sys.stderr.write(f"migrate: {line}\n")


if __name__ == "__main__":
    sys.exit(main())
