"""The connection waits for its server and comes back by itself; its log holds no secrets."""

import asyncio
from pathlib import Path

import pytest
from nats.aio.msg import Msg
from structlog.testing import capture_logs

from pastelka_common.messaging.connection import connected
from pastelka_common.servers import NatsServer, free_port, running
from pastelka_common.testing.waiting import soon, until


async def test_it_waits_for_a_server_that_starts_later(tmp_path: Path):
    server = NatsServer(folder=tmp_path / "nats", sync_always=False)
    server.choose_ports()
    with capture_logs() as logs:
        opening = asyncio.create_task(connected(server.url, name="early").__aenter__())
        await until(lambda: logs)  # the first try has failed
        async with running(server):
            nc = await soon(opening)
            assert nc.is_connected
            await nc.close()


async def test_what_was_said_while_the_server_was_away_goes_out_later(tmp_path: Path):
    server = NatsServer(folder=tmp_path / "nats", sync_always=False)
    async with running(server) as process, connected(server.url, name="a") as nc:
        heard: asyncio.Queue[Msg] = asyncio.Queue()
        await nc.subscribe("word", cb=heard.put)
        await process.kill()
        await until(lambda: not nc.is_connected)
        await nc.publish("word", b"kept")
        await process.start()
        assert (await soon(heard.get())).data == b"kept"


async def test_the_log_holds_no_password_and_no_alarm_at_the_end(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    with capture_logs() as logs:
        async with running(NatsServer(folder=tmp_path / "nats", sync_always=False)) as process:
            url = process.url.replace("//", "//orders:s3cret@")
            async with connected(url, name="a") as nc:
                await process.restart()
                await until(lambda: nc.stats["reconnects"] == 1 and nc.is_connected)
            said = [entry["event"] for entry in logs]
    assert said.count("NATS connection lost") == 1
    assert said.count("NATS connection is back") == 1
    assert "s3cret" not in str(logs) + "".join(capfd.readouterr())


async def test_any_server_of_a_cluster_will_do(nats_server: NatsServer) -> None:
    nobody = f"nats://127.0.0.1:{free_port()}"
    async with asyncio.timeout(20), connected(f"{nobody},{nats_server.url}", name="test") as nc:
        assert nc.is_connected
        await nc.flush(timeout=5)
