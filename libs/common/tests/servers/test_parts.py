"""The server parts start, answer, keep their data through a kill, and leave nothing running."""

import asyncio
import json
import socket
from pathlib import Path

import aiohttp
import asyncpg
import nats
import pytest

from pastelka_common.servers import (
    MercureServer,
    NatsServer,
    PostgresServer,
    Server,
    ServerError,
    free_port,
    running,
)
from pastelka_common.testing.waiting import until


async def test_postgres_uses_utf8_and_requires_its_password(
    postgres_server: PostgresServer, database_url: str
):
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SHOW server_encoding") == "UTF8"
    assert await connection.fetchval("SELECT lower('ŽLUŤOUČKÝ')") == "žluťoučký"
    assert await connection.fetchval("SELECT current_setting('server_version_num')::int") >= 180000
    await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(database_url.replace(postgres_server.password, "guess"))


async def test_each_test_has_a_database_of_its_own(database_url: str, postgres_server: PostgresServer):
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE mine (id int)")
    await connection.close()
    other = await asyncpg.connect(postgres_server.url)
    assert await other.fetchval("SELECT to_regclass('mine')") is None
    await other.close()


@pytest.mark.server
async def test_postgres_keeps_its_data_when_killed(tmp_path: Path):
    server = PostgresServer(folder=tmp_path / "postgres")
    async with running(server) as process:
        connection = await asyncpg.connect(server.url)
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
        connection.terminate()
        await process.kill()
        await process.start()
        connection = await asyncpg.connect(server.url)
        assert await connection.fetchval("SELECT seven FROM kept") == 7
        await connection.close()


@pytest.mark.server
async def test_postgres_runs_in_a_folder_whose_path_is_too_long_for_a_socket(tmp_path: Path):
    server = PostgresServer(folder=tmp_path / ("deep" * 30), durable=False)
    assert server.socket_folder is None
    async with running(server):
        connection = await asyncpg.connect(server.url)
        assert await connection.fetchval("SHOW unix_socket_directories") == ""
        await connection.close()


@pytest.mark.server
async def test_jetstream_keeps_an_acknowledged_message_when_killed(tmp_path: Path):
    server = NatsServer(folder=tmp_path / "nats")
    async with running(server) as process:
        client = await nats.connect(server.url, allow_reconnect=False)
        await client.jetstream().add_stream(name="KEPT", subjects=["kept"])
        await client.jetstream().publish("kept", b"word")
        await process.kill()
        await client.close()
        await process.start()
        client = await nats.connect(server.url)
        assert (await client.jetstream().get_msg("KEPT", 1)).data == b"word"
        await client.close()


@pytest.mark.server
async def test_starting_waits_until_the_port_is_free(tmp_path: Path):
    """A process of the server that was killed may hold it for a moment."""
    server = PostgresServer(folder=tmp_path / "postgres", durable=False)
    async with running(server) as process:
        await process.kill()
        with socket.create_server(("127.0.0.1", server.port)):
            starting = asyncio.create_task(process.start())
            assert await until(lambda: "in use" in process.log.read_text(), 30)
            assert not starting.done()
        await starting
        connection = await asyncpg.connect(server.url)
        await connection.close()


async def test_nats_accepts_8_mb_messages_and_listens_on_loopback_only(nats_server: NatsServer):
    client = await nats.connect(nats_server.url)
    assert client.max_payload == 8 * 1024 * 1024
    await client.close()
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{nats_server.monitoring_url}/varz") as response,
    ):
        settings = await response.json(content_type=None)
    assert settings["host"] == "127.0.0.1"
    assert settings["http_host"] == "127.0.0.1"


async def test_the_local_nats_syncs_every_write(tmp_path: Path):
    server = NatsServer(folder=tmp_path)
    server.prepare()
    assert json.loads((tmp_path / "nats.conf").read_text())["jetstream"]["sync_interval"] == "always"


async def test_a_port_in_use_is_replaced_by_another(tmp_path: Path, nats_server: NatsServer):
    server = NatsServer(folder=tmp_path, port=nats_server.port, monitoring_port=free_port())
    async with running(server):
        assert server.port != nats_server.port
        assert await server.ready()


class _Broken(NatsServer):
    def argv(self) -> list[str]:
        return ["sh", "-c", "echo the disk is full >&2; exit 3"]


@pytest.mark.server
async def test_a_server_that_fails_to_start_reports_the_reason(tmp_path: Path):
    with pytest.raises(ServerError, match=r"nats ended with status 3(.|\n)*the disk is full"):
        async with running(_Broken(folder=tmp_path)):
            pass


@pytest.mark.server
async def test_stopped_servers_are_not_ready(tmp_path: Path):
    parts: list[Server] = [
        NatsServer(folder=tmp_path / "n"),
        PostgresServer(folder=tmp_path / "p", durable=False),
    ]
    for part in parts:
        async with running(part):
            assert await part.ready()
        assert not await part.ready()


async def test_the_hub_is_ready_and_rejects_requests_without_a_token(mercure_hub: MercureServer):
    assert await mercure_hub.ready()
    async with aiohttp.ClientSession() as session:
        async with session.get(mercure_hub.url, params={"topic": "orders"}) as response:
            assert response.status == 401
        async with session.post(mercure_hub.url, data={"topic": "orders", "data": "x"}) as response:
            assert response.status == 401


def test_free_ports_differ():
    ports = [free_port() for _ in range(200)]
    assert len(set(ports)) == len(ports)
