"""The connection waits for its server and comes back by itself; its log holds no secrets."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from structlog.testing import capture_logs

from pastelka_common.messaging.connection import UnsupportedServerError, connected, ping
from pastelka_common.servers import NatsServer, free_port, running
from pastelka_common.testing.processes import freeze
from pastelka_common.testing.waiting import soon, until


@pytest.mark.server
async def test_connecting_waits_for_the_server_to_start(tmp_path: Path):
    server = NatsServer(folder=tmp_path / "nats", sync_always=False)
    server.choose_ports()
    with capture_logs() as logs:
        opening = asyncio.create_task(connected(server.url, name="early").__aenter__())
        await until(lambda: logs)  # the first try has failed
        async with running(server):
            nc = await soon(opening)
            assert nc.is_connected
            await nc.close()


@pytest.mark.server
async def test_messages_published_during_an_outage_are_sent_after_the_reconnect(tmp_path: Path):
    server = NatsServer(folder=tmp_path / "nats", sync_always=False)
    async with running(server) as process, connected(server.url, name="a") as nc:
        heard: asyncio.Queue[Msg] = asyncio.Queue()
        await nc.subscribe("word", cb=heard.put)
        await process.kill()
        await until(lambda: not nc.is_connected)
        await nc.publish("word", b"kept")
        await process.start()
        assert (await soon(heard.get())).data == b"kept"


@pytest.mark.server
async def test_the_connection_log_contains_no_password_and_logs_one_loss(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    server = NatsServer(folder=tmp_path / "nats", sync_always=False, user_name="orders", password="s3cret")
    with capture_logs() as logs:
        async with running(server) as process:
            async with connected(server.url, name="a"):
                await process.restart()
                await until(lambda: "NATS connection is back" in [entry["event"] for entry in logs], 20)
            said = [entry["event"] for entry in logs]
    assert said.count("NATS connection lost") == 1
    assert said.count("NATS connection is back") == 1
    assert "s3cret" not in str(logs) + "".join(capfd.readouterr())


REFUSALS = {
    "maximum connections exceeded": {"max_connections": 1},
    "authorization violation": {"authorization": {"user": "other", "password": "other"}},
}


@pytest.mark.server
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_all_clients_reconnect_after_the_server_closed_them_with_an_error(
    tmp_path: Path, refusal: dict[str, object]
):
    server = NatsServer(folder=tmp_path / "nats", sync_always=False)
    async with running(server) as process, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connected(server.url, name="a")) for _ in range(4)]
        heard: asyncio.Queue[Msg] = asyncio.Queue()
        for nc in clients:
            await nc.subscribe("word", cb=heard.put)
            await ping(nc)
        server.options = refusal
        server.prepare()
        os.kill(process.pid, signal.SIGHUP)
        # One connection at most is left to them.
        await until(lambda: sum(not nc.is_connected for nc in clients) >= len(clients) - 1)
        refused = next(nc for nc in clients if not nc.is_connected)
        with pytest.raises(ConnectionError, match="not connected"):
            await ping(refused)
        server.options = {}
        server.prepare()
        os.kill(process.pid, signal.SIGHUP)
        await until(lambda: all(nc.is_connected for nc in clients), 20)
        for nc in clients:
            await ping(nc)
        await clients[0].publish("word", b"again")
        for _ in clients:
            assert (await soon(heard.get())).data == b"again"


@pytest.mark.server
async def test_a_ping_fails_while_the_server_is_frozen_or_down(tmp_path: Path):
    server = NatsServer(folder=tmp_path / "nats", sync_always=False)
    async with running(server) as process, connected(server.url, name="a") as nc:
        await ping(nc)
        await freeze(process.pid)
        with pytest.raises(NatsError):
            await soon(ping(nc), 5)
        os.kill(process.pid, signal.SIGCONT)
        await process.kill()
        await until(lambda: not nc.is_connected)
        await nc.flush(timeout=1)  # what the client itself says of that
        with pytest.raises(ConnectionError, match="not connected to NATS"):
            await ping(nc)
        await process.start()
        await until(lambda: nc.is_connected)
        await ping(nc)


@asynccontextmanager
async def server_of_version(version: str) -> AsyncIterator[str]:
    """What a client hears of a server before it has done anything; yields the address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        info = {"server_id": "a", "version": version, "max_payload": 1024, "headers": True}
        writer.write(f"INFO {json.dumps(info)}\r\n".encode())
        while line := await reader.readline():
            if line.startswith(b"PING"):
                writer.write(b"PONG\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("version", ["2.10.26", "2.11.11", "1.4.1"])
async def test_an_older_server_is_rejected_with_the_required_version(version: str):
    async with server_of_version(version) as url:
        with pytest.raises(UnsupportedServerError, match=rf"NATS {version}; version 2\.12 or later"):
            async with connected(url, name="a"):
                pass


@pytest.mark.parametrize("version", ["2.12.0", "2.15.1", "3.0.0-beta.1"])
async def test_a_newer_server_is_accepted(version: str):
    async with server_of_version(version) as url, connected(url, name="a") as nc:
        assert nc.is_connected


async def test_a_service_that_finds_an_older_server_exits_with_2():
    async with server_of_version("2.11.0") as url:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _SERVICE),
            env={**os.environ, "NATS_URL": url},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await soon(process.communicate(), 30)
    assert process.returncode == 2
    assert said.decode().splitlines()[-1] == (
        "NATS_URL: the server is NATS 2.11.0; version 2.12 or later is needed. Upgrade the server."
    )


_SERVICE = """
from pastelka_common import process
from pastelka_common.messaging.connection import connected
from pastelka_common.settings import ServiceSettings
async def run(settings, stop):
    async with connected(settings.nats_url, name="test"):
        await stop.wait()
process.main("test", ServiceSettings, run)
"""


async def test_any_server_of_the_url_list_is_used(nats_server: NatsServer) -> None:
    unreachable = f"nats://127.0.0.1:{free_port()}"
    async with asyncio.timeout(20), connected(f"{unreachable},{nats_server.url}", name="test") as nc:
        assert nc.is_connected
        await nc.flush(timeout=5)
