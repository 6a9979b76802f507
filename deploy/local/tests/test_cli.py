"""The commands, run as separate processes."""

import asyncio
import fcntl
import json
import os
import pty
import select
import signal
import socket
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from pastelka_common.servers import free_port
from pastelka_common.testing.processes import freeze
from pastelka_common.testing.waiting import until
from pastelka_local.orphans import find_orphans, terminate_orphans

pytestmark = pytest.mark.server

_CLI = str(Path(__file__).with_name("standin_cli.py"))


def _environment(data: Path, **more: str) -> dict[str, str]:
    outside = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    ports = {"PASTELKA_PORT": str(free_port()), "PASTELKA_STATIC_PORT": str(free_port())}
    return {**outside, **ports, "PASTELKA_DATA_DIR": str(data), **more}


async def _spawn(environment: dict[str, str], *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, _CLI, *arguments),
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def _run(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    process = await _spawn(environment, *arguments)
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, output.decode()


@asynccontextmanager
async def _up(environment: dict[str, str]) -> AsyncIterator[tuple[asyncio.subprocess.Process, list[str]]]:
    """Run ``up`` until it has printed its address."""
    process, lines = await _spawn(environment, "up"), list[str]()
    try:
        await asyncio.wait_for(_read_until(process, "Pastelka is up", lines), 60)
        yield process, lines
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
        terminate_orphans(Path(environment["PASTELKA_DATA_DIR"]))


async def _read_until(process: asyncio.subprocess.Process, words: str, lines: list[str]) -> None:
    assert process.stdout is not None
    while words not in (lines[-1] if lines else ""):
        line = await process.stdout.readline()
        assert line, "\n".join(lines)
        lines.append(line.decode().rstrip())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_up_creates_the_sample_and_interrupting_it_leaves_no_process(
    tmp_path: Path, number: signal.Signals
):
    environment = _environment(tmp_path / "data")
    async with _up(environment) as (process, lines):
        address = f"http://localhost:{environment['PASTELKA_PORT']}"
        assert address in lines[-1]
        assert any("sample order M1000: 5 of 5 pages, 5 of 5 SVGs" in line for line in lines)
        async with httpx.AsyncClient() as client:
            page = await client.get(f"{address}/orders/M1000")
        assert "<title>Pastelka</title>" in page.text
        assert any(line.endswith(f"(sample order M1000: {address}/orders/M1000)") for line in lines)
        process.send_signal(number)
        output, _ = await asyncio.wait_for(process.communicate(), 60)
        assert "Everything is stopped" in output.decode()
        assert process.returncode == 0
        assert find_orphans(tmp_path / "data") == []


async def test_up_on_a_terminal_shows_a_live_table_until_control_c(tmp_path: Path):
    data = tmp_path / "data"
    terminal, end = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, _CLI, "up"),
            env=_environment(data, TERM="xterm", COLUMNS="200", LINES="50"),
            stdin=end,
            stdout=end,
            stderr=end,
            start_new_session=True,
            preexec_fn=partial(fcntl.ioctl, end, termios.TIOCSCTTY, 0),
        )
        os.close(end)
        shown = await asyncio.to_thread(_read_terminal, terminal, b"sample order M1000: http")
        assert b"orders-api" in shown
        assert "● ready".encode() in shown
        os.write(terminal, b"\x03")
        shown = await asyncio.to_thread(_read_terminal, terminal, b"Everything is stopped")
        assert await asyncio.wait_for(process.wait(), 30) == 0
        assert find_orphans(data) == []
    finally:
        os.close(terminal)
        terminate_orphans(data)


def _read_terminal(terminal: int, words: bytes) -> bytes:
    shown = b""
    while words not in shown:
        assert select.select([terminal], [], [], 60)[0], shown[-2000:]
        shown += os.read(terminal, 65536)
    return shown


async def test_down_ends_the_stack_of_an_up_that_was_killed(tmp_path: Path):
    environment = _environment(tmp_path / "data")
    async with _up(environment) as (process, _lines):
        process.kill()
        await process.wait()
        assert len(find_orphans(tmp_path / "data")) >= 7
        status, output = await _run(environment, "down")
        assert (status, "Everything is stopped" in output) == (0, True)
        assert find_orphans(tmp_path / "data") == []


async def _assert_status_reports_that_nats_does_not_respond(
    environment: dict[str, str], states: list[dict[str, Any]]
) -> None:
    nats = next(state["pid"] for state in states if state["name"] == "nats")
    await freeze(nats)
    try:
        status, output = await _run(environment, "status")
    finally:
        os.kill(nats, signal.SIGCONT)
    assert status == 1
    lines = {line.split()[0]: line for line in output.splitlines() if line}
    for service in ("orders-api", "coloring"):
        assert "not ready: broker: TimeoutError" in lines[service], output
    assert "not ready: no answer" in lines["nats"], output

    async def is_ready_again() -> bool:
        return (await _run(environment, "status"))[0] == 0

    await until(is_ready_again, 30)


async def test_start_status_down_and_start_again(tmp_path: Path):
    data = tmp_path / "data"
    environment = _environment(data)
    try:
        assert (await _run(environment, "status"))[0] == 1
        status, output = await _run(environment, "start")
        assert (status, environment["PASTELKA_PORT"] in output) == (0, True)
        states = json.loads((data / "run" / "processes.json").read_text())
        assert all(state["healthy"] and psutil.pid_exists(state["pid"]) for state in states)
        status, output = await _run(environment, "status")
        assert status == 0
        assert all(str(state["pid"]) in output for state in states)
        await _assert_status_reports_that_nats_does_not_respond(environment, states)
        assert "is up already" in (await _run(environment, "start"))[1]
        assert (await _run(environment, "down"))[0] == 0
        assert find_orphans(data) == []
        assert (await _run(environment, "start"))[0] == 0
        status, output = await _run(environment, "reset")
        assert (status, "--yes" in output) == (1, True)
        assert data.exists()
        assert (await _run(environment, "reset", "--yes"))[0] == 0
        assert not data.exists()
    finally:
        terminate_orphans(data)


async def test_two_stacks_run_side_by_side(tmp_path: Path):
    environments = [_environment(tmp_path / name) for name in ("one", "two")]
    try:
        results = await asyncio.gather(*(_run(environment, "start") for environment in environments))
        assert [status for status, _output in results] == [0, 0]
        assert (await _run(environments[0], "down"))[0] == 0
        assert (await _run(environments[1], "status"))[0] == 0
    finally:
        for environment in environments:
            terminate_orphans(Path(environment["PASTELKA_DATA_DIR"]))


async def test_a_port_in_use_fails_the_start_and_names_the_variable(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, output = await _run(_environment(tmp_path, PASTELKA_PORT=port), "start")
    assert status == 2
    assert f"port {port} is taken" in output
    assert "PASTELKA_PORT" in output


async def test_reset_does_not_delete_a_folder_without_a_stack(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("years of work")
    status, _output = await _run(_environment(tmp_path), "reset", "--yes")
    assert status == 1
    assert (tmp_path / "thesis.txt").exists()
