"""The operator's command line: users, tokens, dead letters, reconciler, erasure, backups.

Exit codes: 0 success, 1 failure, 2 invalid command line or setting.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from pastelka_common.errors import BrokerSetupError
from pastelka_common.messaging.publish import BROKER_ERRORS
from pastelka_common.storage import StorageNotMountedError, StorageUnavailableError
from pastelka_common.telemetry import log_to_stderr
from pastelka_orders.commands import (
    dead_letters,
    erase,
    reconcile,
    refused_messages,
    restore,
    tokens,
    users,
)
from pastelka_orders.database import DatabaseUnavailableError
from pastelka_orders.errors import OrdersError

_PROG = "python -m pastelka_orders"
_FAILED = 1
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None, *, prog: str = _PROG) -> int:
    """Run one command, as ``prog``; returns the exit code."""
    args = parser(prog).parse_args(arguments)
    # Standard output is for the result, which may be JSON.
    log_to_stderr()
    try:
        return asyncio.run(perform(args))
    except KeyboardInterrupt:
        return _INTERRUPTED


async def perform(args: argparse.Namespace) -> int:
    """Run the command; returns the exit code, after a line on standard error if it failed."""
    try:
        await args.run(args)
    except OrdersError as error:
        return _print_error(error.detail)
    except StorageNotMountedError as error:
        return _print_error(str(error))
    except StorageUnavailableError as error:
        return _print_error(f"the storage: {error.strerror}")
    except (DatabaseUnavailableError, SQLAlchemyError) as error:
        return _print_error(f"the database: {_first_line(error)}")
    except (*BROKER_ERRORS, BrokerSetupError) as error:
        return _print_error(_first_line(error))
    return 0


def parser(prog: str = _PROG) -> argparse.ArgumentParser:
    """The parser; its result has the command's function as ``run``."""
    line = argparse.ArgumentParser(
        prog=prog,
        description="Users, API tokens, dead letters, refused messages, a pass of the reconciler, "
        "erasing a customer, backups.",
    )
    commands = line.add_subparsers(required=True)
    users.add_to(commands)
    tokens.add_to(commands)
    dead_letters.add_to(commands)
    refused_messages.add_to(commands)
    reconcile.add_to(commands)
    erase.add_to(commands)
    restore.add_to(commands)
    return line


def _print_error(line: str) -> int:
    sys.stderr.write(f"pastelka_orders: {line}\n")
    return _FAILED


def _first_line(error: BaseException) -> str:
    """The cause without the statement and its parameters."""
    cause = getattr(error, "orig", None) or error
    return str(cause).partition("\n")[0] or type(cause).__name__
