"""``pastelka``: the one command for people; what it does is in :mod:`pastelka_local.commands`."""

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
from pastelka_local.display import Display, display, table
from pastelka_local.health import look
from pastelka_local.orphans import terminate_children
from pastelka_local.plan import StackFile
from pastelka_local.private import PRIVATE_UMASK
from pastelka_local.sample import SampleError, SampleProgress, make_sample
from pastelka_local.settings import Settings, SettingsError, read_settings
from pastelka_local.stack import Stack, StackError, end_stack
from pastelka_local.supervision import Supervisor

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
    """What a user may do."""

    VIEWER = "viewer"
    OPERATOR = "operator"


def main() -> None:
    """Run the command that was asked for; exit status 0, 1 (failure) or 2 (wrong setting or option)."""
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
def reset(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """End every process and delete the data, after asking."""
    _exit(stack.reset(read_settings(), is_confirmed=yes))


@app.command()
def sample() -> None:
    """Make another sample order and wait until it is done."""
    _exit(stack.sample(read_settings()))


@app.command()
def user(
    name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    role: Annotated[Role, typer.Option(help="What the user may do.")] = Role.OPERATOR,
) -> None:
    """Add a user, whose password is asked for."""
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


async def up(settings: Settings, _arguments: argparse.Namespace) -> int:
    """Start, make the sample order, stay until interrupted, and leave nothing running."""
    if _already_running(settings):
        return 0
    with _lock(settings), display() as shown:
        try:
            stack = await _start(settings, shown)
            hint = await _hint(settings, stack)
            await asyncio.gather(_watch(settings, shown), _sample(settings, stack, shown, hint))
        except asyncio.CancelledError:
            shown.step("interrupted")
        finally:
            terminate_children()
            await end_stack(settings, shown.step)
            shown.headline("Everything is stopped; the data stays.")
    return 0


async def start(settings: Settings, _arguments: argparse.Namespace) -> int:
    """Start detached; back when everything is ready. What did not start completely is ended again."""
    if _already_running(settings):
        return 0
    with _lock(settings), display() as shown:
        try:
            stack = await _start(settings, shown)
            hint = await _hint(settings, stack)
        except BaseException:
            terminate_children()
            await end_stack(settings, shown.step)
            raise
        shown.headline(f"Pastelka is up: {stack.address}  (make status, make down){hint}")
    return 0


async def status(settings: Settings, _arguments: argparse.Namespace) -> int:
    """Every process with its pid, port and health; status 0 if all are healthy."""
    state, stack = await look(settings.run), StackFile.read(settings.run)
    if not state.processes or stack is None:
        print(f"Nothing runs in {settings.data}.")
        return 1
    Console().print(table(state))
    print(f"\n{stack.address}")
    return 0 if state.ready else 1


async def down(settings: Settings, _arguments: argparse.Namespace) -> int:
    """End every process, and leave the data."""
    left = await end_stack(settings, print)
    print(
        f"Ended {left} processes that nobody watched." if left else "Everything is stopped; the data stays."
    )
    return 0


async def reset(settings: Settings, arguments: argparse.Namespace) -> int:
    """End everything and delete the data, after asking."""
    if not settings.data.exists():
        print(f"There is no data in {settings.data}.")
        return 0
    if not (settings.data / "run").is_dir():
        raise StackError(f"{settings.data} is not a data folder of Pastelka; nothing was deleted")
    if not arguments.yes and not _confirmed(settings.data):
        print("Nothing was deleted.")
        return 1
    await end_stack(settings, print)
    await asyncio.to_thread(shutil.rmtree, settings.data)
    print(f"{settings.data} is deleted.")
    return 0


async def sample(settings: Settings, _arguments: argparse.Namespace) -> int:
    """Make a new sample order and wait until it is done."""
    stack = StackFile.read(settings.run)
    if stack is None or Supervisor(settings.run).pid() is None:
        raise StackError("nothing runs here; `make start` or `make up` comes first")
    with display() as shown:
        await _make_sample(settings, stack, shown, again=True)
    return 0


async def user(settings: Settings, arguments: argparse.Namespace) -> int:
    """Add somebody who signs in with a password, which is asked for."""
    return await Accounts(settings.run, settings.environment).add(arguments.name, arguments.role)


async def _start(settings: Settings, shown: Display) -> StackFile:
    shown.step("starting")
    return await Stack(settings, shown.step, watch=shown.state).start()


async def _watch(settings: Settings, shown: Display) -> None:
    """Show the processes until cancelled. Raises :class:`StackError` when they were ended by others."""
    while True:
        state = await look(settings.run)
        if not state.processes:
            raise StackError("the stack was ended from outside (make down?)")
        shown.state(state)
        await asyncio.sleep(_WATCH_SECONDS)


async def _hint(settings: Settings, stack: StackFile) -> str:
    """What else somebody has to know who has just started this."""
    if stack.auth_mode != "password" or not await Accounts(settings.run, settings.environment).is_empty():
        return ""
    return "\nNobody can sign in yet; `make user NAME=jana` adds the first user."


async def _sample(settings: Settings, stack: StackFile, shown: Display, hint: str) -> None:
    try:
        await _make_sample(settings, stack, shown, again=False, hint=hint)
    except (SampleError, AccountsError) as error:
        shown.headline(f"Pastelka is up: {stack.address}  (the sample order failed: {error}){hint}")


async def _make_sample(
    settings: Settings, stack: StackFile, shown: Display, *, again: bool, hint: str = ""
) -> None:
    def show(number: str, progress: SampleProgress) -> None:
        shown.step(f"sample order {number}: {progress}")

    shown.step("making the sample order")
    async with _let_in(settings, stack) as token:
        number = await make_sample(stack.address, again=again, show=show, token=token)
    order = f"{stack.address}/orders/{number}"
    shown.headline(f"Pastelka is up: {stack.address}  (sample order {number}: {order}){hint}")


@contextlib.asynccontextmanager
async def _let_in(settings: Settings, stack: StackFile) -> AsyncIterator[str | None]:
    """A token for the API; none where everybody may do everything."""
    if stack.auth_mode == "open":
        yield None
        return
    async with Accounts(settings.run, settings.environment).token() as token:
        yield token


def _already_running(settings: Settings) -> bool:
    stack = StackFile.read(settings.run)
    if stack is None or Supervisor(settings.run).pid() is None:
        return False
    print(f"Pastelka is up already: {stack.address}  (make status, make down)")
    return True


@contextlib.contextmanager
def _lock(settings: Settings) -> Any:
    """Only one start or up at a time in a data folder."""
    settings.run.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.run / "start.lock", timeout=0):
            yield
    except Timeout:
        raise StackError(f"another start is at work in {settings.data}") from None


def _confirmed(data: Path) -> bool:
    if not sys.stdin.isatty():
        raise StackError("nobody is there to be asked; `pastelka reset --yes` deletes without asking")
    return input(f"Delete all orders, files and messages in {data}? [y/N] ").strip().lower() in {"y", "yes"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pastelka", description="The local stack of Pastelka.")
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in (up, start, status, down, reset, sample, user):
        text = (command.__doc__ or "").strip()
        one = commands.add_parser(command.__name__, help=text, description=text)
        one.set_defaults(command=command)
        if command is reset:
            one.add_argument("--yes", action="store_true", help="do not ask")
        if command is user:
            one.add_argument("name", help="by which they sign in")
            one.add_argument("--role", choices=("viewer", "operator"), default="operator")
    return parser


if __name__ == "__main__":
    main()
