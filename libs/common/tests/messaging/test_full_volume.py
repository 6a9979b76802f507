"""What a nats-server with a full volume does, on a tmpfs of the test's own; needs root."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pastelka_common.messaging.connection import connected
from pastelka_common.messaging.publish import Outgoing, Publisher, PublishError
from pastelka_common.messaging.topology import ensure_streams
from pastelka_common.servers import NatsServer, running

_MIB = 1024 * 1024


@pytest.fixture
def small_volume(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB."""
    volume = tmp_path / "volume"
    volume.mkdir()
    options = ["-t", "tmpfs", "-o", "size=24m", "tmpfs", str(volume)]
    mounted = subprocess.run(["mount", *options], check=False, capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("this system lets us mount nothing")
    yield volume
    subprocess.run(["umount", "-l", str(volume)], check=True)


def _enlarge(volume: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=200m", str(volume)], check=True)


@pytest.mark.server
async def test_a_stream_after_a_failed_write_accepts_messages_only_after_a_restart(
    small_volume: Path,
) -> None:
    store = {"store_dir": str(small_volume / "nats" / "data"), "max_file_store": 1024 * _MIB}
    server = NatsServer(folder=small_volume / "nats", options={"jetstream": store})
    event = Outgoing("events.order.1.order_changed", os.urandom(_MIB))
    async with running(server) as process, connected(server.url, name="test") as nc:
        await ensure_streams(nc)
        publisher = Publisher(nc, timeout=2)
        stored = 0
        with contextlib.suppress(PublishError):
            while stored < 30:
                await publisher.send(event)
                stored += 1
        assert 5 < stored < 30
        await asyncio.to_thread(_enlarge, small_volume)
        # The runbook relies on this; a server that heals by itself makes its entry shorter.
        with pytest.raises(PublishError):
            await publisher.send(event)
        await process.restart()
        await publisher.send(event)
        assert (await nc.jetstream().stream_info("EVENTS")).state.messages == stored + 1
