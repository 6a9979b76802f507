"""The stack with its real servers and stand-ins for the services: start, recovery, stop without leftovers."""

import asyncio
import json
import os
import pwd
import signal
import stat
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from pastelka_common.servers import free_port
from pastelka_local.accounts import service_environment
from pastelka_local.api_client import connect
from pastelka_local.health import read_stack_state, read_states
from pastelka_local.orphans import find_orphans
from pastelka_local.plan import ServiceKind, StackFile
from pastelka_local.sample import SampleProgress, make_sample
from pastelka_local.settings import Settings, read_settings
from pastelka_local.stack import Stack, StackError, end_stack

pytestmark = pytest.mark.server

_STANDIN = str(Path(__file__).with_name("standin.py"))
_SERVICES = (
    ServiceKind("orders-api", (_STANDIN,), needs_database=True),
    ServiceKind("coloring", (_STANDIN,)),
)


def _settings(data: Path, **more: str) -> Settings:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return read_settings({**environment, "PASTELKA_DATA_DIR": str(data), **more})


def _stack(settings: Settings, *, services: tuple[ServiceKind, ...] = _SERVICES) -> Stack:
    return Stack(settings, say=lambda _line: None, services=services, migrate=(_STANDIN, "migrate"))


async def _end(settings: Settings) -> int:
    return await end_stack(settings, lambda _line: None)


async def _until(holds: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.1)


def _states(settings: Settings) -> dict[str, dict[str, Any]]:
    return {state["name"]: state for state in read_states(settings.run)}


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[tuple[Settings, StackFile]]:
    settings = _settings(
        tmp_path / "data",
        PASTELKA_PORT=str(free_port()),
        PASTELKA_STATIC_PORT=str(free_port()),
        COLORING_REPLICAS="2",
        RUNPOD_BASE_URL="http://127.0.0.1:9999/v2?100%",
    )
    try:
        yield settings, await _stack(settings).start()
    finally:
        await _end(settings)


async def test_a_stack_starts_with_its_settings_recovers_and_stops(running: tuple[Settings, StackFile]):
    settings, _ = running
    states = _states(settings)
    assert set(states) == {
        *("supervisor", "postgres", "nats", "mercure", "nginx", "keeper"),
        *("orders-api", "coloring", "coloring-2"),
    }
    assert all(state["healthy"] and psutil.pid_exists(state["pid"]) for state in states.values())
    assert set(states["nats"]) == {"name", "pid", "port", "healthy"}
    await _assert_services_get_their_settings(settings, states)
    _assert_other_users_have_no_access(settings, states)
    await _assert_the_sample_is_made_once(settings)
    await _assert_a_killed_process_restarts(settings)
    assert await _end(settings) == 0
    assert find_orphans(settings.data) == []
    assert read_states(settings.run) == []
    assert not any(psutil.pid_exists(state["pid"]) for state in states.values())


async def _assert_services_get_their_settings(settings: Settings, states: dict[str, dict[str, Any]]) -> None:
    async with httpx.AsyncClient() as client:
        environment = (await client.get(f"http://127.0.0.1:{states['coloring']['port']}/environment")).json()
    assert environment["RUNPOD_BASE_URL"] == "http://127.0.0.1:9999/v2?100%"
    assert environment["DATABASE_URL"].startswith("postgresql+asyncpg://")
    drawn = json.loads((settings.data / "secrets.json").read_text())["NATS_PASSWORD"]
    assert environment["NATS_URL"] == f"nats://pastelka:{drawn}@127.0.0.1:{states['nats']['port']}"
    assert service_environment(settings.run).items() <= environment.items()
    assert "NATS_PASSWORD" not in environment
    assert environment["MERCURE_URL"] == f"http://127.0.0.1:{states['mercure']['port']}/.well-known/mercure"
    assert environment["STATIC_URL"] == f"http://localhost:{settings.static_port}/static"
    assert environment["STORAGE_PATH"] == str(settings.data / "storage" / "images")
    assert environment["MERCURE_PUBLISHER_JWT_KEY"] != environment["MERCURE_SUBSCRIBER_JWT_KEY"]
    assert "migrated postgresql+asyncpg" in (settings.log / "migrate.log").read_text()


_AS_ANOTHER_USER = """
cat "$1/run/supervisord.conf" "$1/storage/images/1/1/image_1.jpg" "$1/secrets.json" "$1/nats/nats.conf"
ls "$1" "$1/log"
exec 3<>"/dev/tcp/127.0.0.1/$2"
# In one write: the server closes at CONNECT, and what arrives later would reset the connection, -ERR and all.
printf 'CONNECT {"verbose":false}\r\nSUB > 1\r\nPING\r\n' | dd obs=1k status=none >&3
timeout 50 head -n 2 <&3
"""


def _assert_other_users_have_no_access(settings: Settings, states: dict[str, dict[str, Any]]) -> None:
    """Access of another user of the machine to the stack."""
    photo = settings.data / "storage" / "images" / "1" / "1" / "image_1.jpg"
    photo.parent.mkdir(parents=True)
    photo.write_text("a photo")
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in [settings.data, *settings.data.iterdir()]}
    folders = {path: mode for path, mode in modes.items() if path.is_dir()}
    assert set(folders.values()) == {0o700}, folders
    written = [*settings.run.iterdir(), *settings.log.iterdir(), settings.data / "secrets.json"]
    open_to_others = [path for path in written if path.lstat().st_mode & 0o077 and path.name != "start.lock"]
    assert open_to_others == []
    as_other: dict[str, Any] = (
        {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
        if os.geteuid() == 0
        else {}
    )
    done = subprocess.run(
        ["bash", "-c", _AS_ANOTHER_USER, "other", str(settings.data), str(states["nats"]["port"])],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        timeout=60,
        **as_other,
    )
    assert "Authorization Violation" in done.stdout
    if as_other:  # without root the test cannot become another user
        assert [line for line in done.stdout.splitlines() if not line.startswith(("INFO", "-ERR"))] == []
        assert done.stderr.count("Permission denied") == 6, done.stderr


async def _assert_the_sample_is_made_once(settings: Settings) -> None:
    seen: list[SampleProgress] = []
    async with connect(settings, None, None) as api:
        number = await make_sample(api, again=False, show=lambda _number, progress: seen.append(progress))
        assert number == "M1000"
        assert seen[-1].done
        assert (seen[-1].images, seen[-1].svgs) == (5, 5)
        assert await make_sample(api, again=False, show=lambda *_: None) == "M1000"
        assert await make_sample(api, again=True, show=lambda *_: None) == "M1001"


async def _assert_a_killed_process_restarts(settings: Settings) -> None:
    for name in ("coloring", "nginx", "postgres"):
        before = _states(settings)[name]["pid"]
        os.kill(before, signal.SIGKILL)
        await _until(lambda: _states(settings)[name]["pid"] not in {before, None})  # noqa: B023 - awaited here
        await _until(lambda: _states(settings)[name]["healthy"])  # noqa: B023


async def test_down_ends_processes_left_by_a_killed_supervisord(running: tuple[Settings, StackFile]):
    settings, _stack = running
    states = _states(settings)
    os.kill(states["supervisor"]["pid"], signal.SIGKILL)
    await _until(lambda: not psutil.pid_exists(states["supervisor"]["pid"]))
    assert {process.pid for process in find_orphans(settings.data)} >= {
        states["nats"]["pid"],
        states["nginx"]["pid"],
    }
    assert await _end(settings) >= len(states) - 2
    assert find_orphans(settings.data) == []
    assert not any(_is_ours(process, settings.data) for process in psutil.process_iter())


def _is_ours(process: psutil.Process, data: Path) -> bool:
    try:
        return str(data) in " ".join([*process.cmdline(), process.cwd()])
    except psutil.Error:
        return False


async def test_a_service_that_rejects_its_settings_fails_the_start_with_its_message(tmp_path: Path):
    settings = _settings(
        tmp_path, PASTELKA_PORT=str(free_port()), PASTELKA_STATIC_PORT=str(free_port()), NATS_URL="nats://x:1"
    )
    services = (*_SERVICES, ServiceKind("notifier", (_STANDIN, "refuse")))
    try:
        with pytest.raises(StackError, match=r"notifier(.|\n)*NATS_URL is 'x'; a URL is needed"):
            await _stack(settings, services=services).start()
        names = {process.name for process in (await read_stack_state(settings.run)).processes}
        assert "nats" not in names  # an external server
        assert "postgres" in names
    finally:
        await _end(settings)


async def test_the_state_without_a_stack_is_empty(tmp_path: Path):
    assert (await read_stack_state(tmp_path)).processes == ()
    assert await _end(_settings(tmp_path / "none")) == 0
