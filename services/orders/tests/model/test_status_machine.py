"""The status machine, checked against its model (``MODEL_EXAMPLES`` for more than the quick 20)."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from nats.aio.client import Client

from pastelka_common.messaging.topology import ensure_streams
from pastelka_common.servers import NatsServer, running
from pastelka_common.storage import FolderStorage
from pastelka_orders.database import Database

from .machine import Machine, World

QUICK = 20
EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", QUICK))


@pytest.fixture
def world(orders_url: str, tmp_path: Path) -> Iterator[World]:
    """A database and a nats-server of its own, and the loop that both are used in."""
    with asyncio.Runner() as runner:
        server = running(NatsServer(folder=tmp_path / "nats", sync_always=False))
        broker = runner.run(server.__aenter__())
        nc = runner.run(_connected(broker.url))
        database = Database(orders_url)
        try:
            yield World(runner, database, nc, FolderStorage(tmp_path / "images"))
        finally:
            runner.run(nc.close())
            runner.run(database.aclose())
            runner.run(server.__aexit__(None, None, None))


async def _connected(url: str) -> Client:
    nc = await nats.connect(url)
    await ensure_streams(nc)
    return nc


@pytest.mark.timeout(60 + 8 * EXAMPLES)
def test_postgresql_and_the_domain_model_agree_after_every_step(world: World) -> None:
    checked = type("Checked", (Machine,), {"world": world})
    run_state_machine_as_test(
        checked,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            database=None,
            derandomize=EXAMPLES == QUICK,  # the same ones every time; more are new ones every time
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
