"""A client whose tasks end unexpectedly reconnects: it is never connected and deaf."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from pastelka_common.messaging.connection import connected, ping
from pastelka_common.servers import NatsServer, ServerProcess, running
from pastelka_common.testing.processes import freeze
from pastelka_common.testing.waiting import soon, until

pytestmark = pytest.mark.server


@asynccontextmanager
async def listening(folder: Path) -> AsyncIterator[tuple[ServerProcess, Client, asyncio.Queue[Msg]]]:
    """A server, a client, and what the client receives on ``word``."""
    server = NatsServer(folder=folder / "nats", sync_always=False)
    async with running(server) as process, connected(server.url, name="a") as nc:
        heard: asyncio.Queue[Msg] = asyncio.Queue()
        await nc.subscribe("word", cb=heard.put)
        await ping(nc)
        yield process, nc, heard


async def is_heard(nc: Client, heard: asyncio.Queue[Msg]) -> None:
    await nc.publish("word", b"again")
    while (await soon(heard.get(), 20)).data != b"again":
        pass  # what was published before went out after all
    await ping(nc)


async def test_a_reply_after_its_timeout_does_not_end_the_read_loop(tmp_path: Path) -> None:
    """nats-py sets the result of a future that was cancelled, and its read loop ends."""
    async with listening(tmp_path) as (process, nc, heard):
        await freeze(process.pid)
        with pytest.raises(NatsError):
            await ping(nc, timeout=0.2)
        os.kill(process.pid, signal.SIGCONT)
        await ping(nc)
        await is_heard(nc, heard)
        assert nc.stats["reconnects"] == 0


async def test_a_failed_read_loop_makes_the_client_reconnect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(tmp_path) as (_, nc, heard):
        with monkeypatch.context() as patch:

            async def fails(_data: bytes) -> None:
                patch.undo()
                raise RuntimeError("a bug in the parser")

            patch.setattr(nc._ps, "parse", fails)
            await nc.publish("word", b"before")
            await until(lambda: nc.stats["reconnects"] == 1 and nc.is_connected, 10)
        await is_heard(nc, heard)


@pytest.mark.parametrize("name", ["writelines", "write"])
async def test_a_closed_transport_makes_the_client_reconnect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The flusher and the ping interval end with the ``RuntimeError`` of uvloop."""
    async with listening(tmp_path) as (_, nc, heard):
        with monkeypatch.context() as patch:

            def closed(*_: Any) -> None:
                patch.undo()
                raise RuntimeError("unable to perform operation on <TCPTransport closed=True>")

            patch.setattr(nc._transport, name, closed)
            if name == "writelines":
                await nc.publish("word", b"before")
            await until(lambda: nc.stats["reconnects"] == 1 and nc.is_connected, 20)
        await is_heard(nc, heard)


async def test_a_reconnect_that_fails_unexpectedly_is_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As uvloop raises ``RuntimeError`` for a connection that the server closed in the meantime."""
    async with listening(tmp_path) as (process, nc, heard):
        real, failures = nc._process_connect_init, 3

        async def fails() -> Any:
            nonlocal failures
            failures -= 1
            if failures >= 0:
                raise RuntimeError("unable to perform operation on a closed transport")
            await real()

        monkeypatch.setattr(nc, "_process_connect_init", fails)
        await process.restart()
        await until(lambda: nc.stats["reconnects"] == 1 and nc.is_connected, 20)
        await is_heard(nc, heard)


async def test_closing_does_not_reconnect(tmp_path: Path) -> None:
    server = NatsServer(folder=tmp_path / "nats", sync_always=False)
    async with running(server):
        async with connected(server.url, name="a") as nc:
            await ping(nc)
        await asyncio.sleep(0)
        assert nc.is_closed
        assert nc.stats["reconnects"] == 0
