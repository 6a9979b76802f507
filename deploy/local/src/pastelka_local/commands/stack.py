"""``pastelka up|start|status|down|reset|sample|user``: the local stack, as called by the Makefile."""

import asyncio
import contextlib
import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from rich.console import Console

from pastelka_local.accounts import Accounts, AccountsError
from pastelka_local.api_client import ApiError, connect
from pastelka_local.display import Display, display, table
from pastelka_local.health import StackState, read_stack_state
from pastelka_local.orphans import terminate_children
from pastelka_local.plan import StackFile
from pastelka_local.sample import SampleError, SampleProgress, make_sample
from pastelka_local.settings import Settings
from pastelka_local.stack import Stack, StackError, end_stack
from pastelka_local.supervision import Supervisor

_WATCH_SECONDS = 1.0


async def up(settings: Settings) -> int:
    """Start, create the sample order, run until interrupted, and stop every process."""
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


async def start(settings: Settings) -> int:
    """Start in the background; returns when everything is ready. Stops everything if the start fails."""
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


async def status(settings: Settings, *, as_json: bool) -> int:
    """List every process with its pid, port and health; exit status 0 if all are healthy."""
    state, stack = await read_stack_state(settings.run), StackFile.read(settings.run)
    if as_json:
        print(json.dumps(_document(state, stack), indent=2))
        return 0 if state.ready else 1
    if not state.processes or stack is None:
        print(f"No stack is running in {settings.data}.")
        return 1
    Console().print(table(state))
    print(f"\n{stack.address}")
    return 0 if state.ready else 1


async def down(settings: Settings) -> int:
    """Stop every process; the data stays."""
    left = await end_stack(settings, print)
    print(f"Ended {left} orphaned processes." if left else "Everything is stopped; the data stays.")
    return 0


async def reset(settings: Settings, *, is_confirmed: bool) -> int:
    """Stop every process and delete the data, after a confirmation."""
    if not settings.data.exists():
        print(f"There is no data in {settings.data}.")
        return 0
    if not (settings.data / "run").is_dir():
        raise StackError(f"{settings.data} is not a data folder of Pastelka; nothing was deleted")
    if not is_confirmed and not _confirmed(settings.data):
        print("Nothing was deleted.")
        return 1
    await end_stack(settings, print)
    await asyncio.to_thread(shutil.rmtree, settings.data)
    print(f"{settings.data} is deleted.")
    return 0


async def sample(settings: Settings) -> int:
    """Create a new sample order and wait until it is completed."""
    stack = StackFile.read(settings.run)
    if stack is None or Supervisor(settings.run).pid() is None:
        raise StackError("no stack is running; run `make start` or `make up` first")
    with display() as shown:
        await _make_sample(settings, stack, shown, again=True)
    return 0


async def user(settings: Settings, name: str, role: str) -> int:
    """Add a user; prompts for the password."""
    return await Accounts(settings.run, settings.environment).add(name, role)


async def _start(settings: Settings, shown: Display) -> StackFile:
    shown.step("starting")
    return await Stack(settings, shown.step, watch=shown.state).start()


async def _watch(settings: Settings, shown: Display) -> None:
    """Show the processes until cancelled. Raises :class:`StackError` if another program stopped them."""
    while True:
        state = await read_stack_state(settings.run)
        if not state.processes:
            raise StackError("another program stopped the stack (make down?)")
        shown.state(state)
        await asyncio.sleep(_WATCH_SECONDS)


async def _hint(settings: Settings, stack: StackFile) -> str:
    """The recommended next step after a start; empty if there is none."""
    if stack.auth_mode != "password" or not await Accounts(settings.run, settings.environment).is_empty():
        return ""
    return "\nNo user can sign in yet; `make user NAME=jana` adds the first one."


async def _sample(settings: Settings, stack: StackFile, shown: Display, hint: str) -> None:
    try:
        await _make_sample(settings, stack, shown, again=False, hint=hint)
    except (SampleError, AccountsError, ApiError) as error:
        shown.headline(f"Pastelka is up: {stack.address}  (the sample order failed: {error}){hint}")


async def _make_sample(
    settings: Settings, stack: StackFile, shown: Display, *, again: bool, hint: str = ""
) -> None:
    def show(number: str, progress: SampleProgress) -> None:
        shown.step(f"sample order {number}: {progress}")

    shown.step("making the sample order")
    async with connect(settings, None, None) as api:
        number = await make_sample(api, again=again, show=show)
    order = f"{stack.address}/orders/{number}"
    shown.headline(f"Pastelka is up: {stack.address}  (sample order {number}: {order}){hint}")


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
        raise StackError(f"another start is in progress in {settings.data}") from None


def _confirmed(data: Path) -> bool:
    if not sys.stdin.isatty():
        raise StackError("stdin is not a terminal; `pastelka reset --yes` deletes without confirmation")
    return input(f"Delete all orders, files and messages in {data}? [y/N] ").strip().lower() in {"y", "yes"}


def _document(state: StackState, stack: StackFile | None) -> dict[str, Any]:
    return {
        "address": stack.address if stack is not None else None,
        "ready": state.ready,
        "processes": [asdict(process) for process in state.processes],
    }
