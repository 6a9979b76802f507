"""``pastelka``: the command-line interface; :mod:`pastelka_local.commands` implements the commands."""

import asyncio
import importlib.metadata
import os
import signal
import sys
from collections.abc import Coroutine
from enum import StrEnum
from typing import Annotated, Any

import typer

from pastelka_common.errors import JobError
from pastelka_common.servers import ServerError
from pastelka_local.accounts import AccountsError
from pastelka_local.api_client import ApiError
from pastelka_local.commands import administration, orders, page, stack
from pastelka_local.dashboard import DashboardError
from pastelka_local.orphans import terminate_children
from pastelka_local.private import PRIVATE_UMASK
from pastelka_local.sample import SampleError
from pastelka_local.settings import SettingsError, read_settings
from pastelka_local.stack import StackError

app = typer.Typer(
    name="pastelka",
    help="Coloring books from photos: run the services, and work with orders.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(orders.app, name="orders")
app.command("page")(page.page)

_FAILURES = (
    StackError,
    ServerError,
    DashboardError,
    SampleError,
    AccountsError,
    ApiError,
    page.PageError,
    JobError,
)


class Role(StrEnum):
    """Role of a user."""

    VIEWER = "viewer"
    OPERATOR = "operator"


def main() -> None:
    """Run the command of the arguments; returns 0, 1 (failure) or 2 (wrong setting or option)."""
    os.umask(PRIVATE_UMASK)
    try:
        app()
    except SettingsError as error:
        print(f"pastelka: {error}", file=sys.stderr)
        sys.exit(2)
    except _FAILURES as error:
        print(f"pastelka: {error}", file=sys.stderr)
        sys.exit(1)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"pastelka {importlib.metadata.version('pastelka-local')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    """Coloring books from photos: run the services, and work with orders."""


@app.command()
def up() -> None:
    """Run everything in the foreground and make the sample order; Ctrl-C ends it."""
    _exit(stack.up(read_settings()))


@app.command()
def start() -> None:
    """Run everything in the background; return when it is ready."""
    _exit(stack.start(read_settings()))


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List every process with its pid, port and health; exit 0 if all are healthy."""
    _exit(stack.status(read_settings(), as_json=as_json))


@app.command()
def down() -> None:
    """End every process; the data stays."""
    _exit(stack.down(read_settings()))


@app.command()
def reset(yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False) -> None:
    """End every process and delete the data, after asking."""
    _exit(stack.reset(read_settings(), is_confirmed=yes))


@app.command()
def sample() -> None:
    """Make another sample order and wait until it is done."""
    _exit(stack.sample(read_settings()))


@app.command()
def user(
    name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    role: Annotated[Role, typer.Option(help="Role of the user.")] = Role.OPERATOR,
) -> None:
    """Add a user; prompts for the password."""
    _exit(stack.user(read_settings(), name, role.value))


administration.add_to(app)


def _exit(command: Coroutine[Any, Any, int]) -> None:
    raise typer.Exit(asyncio.run(_run(command)))


async def _run(command: Coroutine[Any, Any, int]) -> int:
    """Run ``command``; SIGTERM and SIGINT cancel it once, and are ignored while it cleans up."""
    task = asyncio.create_task(command)

    def interrupt() -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, lambda: None)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, interrupt)
    try:
        return await task
    except asyncio.CancelledError:
        terminate_children()
        return 130


if __name__ == "__main__":
    main()
