"""Faults caused by other users of the broker: closed connections (``-ERR``), a stream of the same name."""

import asyncio
import contextlib
import os
import signal

import nats
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from nats.js.errors import BadRequestError, NotFoundError

from pastelka_common.messaging.topology import EVENTS
from pastelka_common.servers import NatsServer, ServerProcess
from tests.faults import cluster
from tests.faults.system import System

_FOREIGN = StreamConfig(name=EVENTS, subjects=["foreign.>"], description="of another program")
_STREAM_EXISTS = 10058


async def refuse_connections(system: System, seconds: float) -> str:
    """Limit every server to one connection for a while: it closes the others with ``-ERR``."""
    processes = [system.server(name) for name in cluster.node_names(system.stack)]
    for process in processes:
        await asyncio.to_thread(_reload, process, {"max_connections": 1})
    await asyncio.sleep(seconds)
    for process in processes:
        await asyncio.to_thread(_reload, process, {})
    return "max_connections: 1"


async def replace_stream(system: System, seconds: float) -> str:
    """Replace ``EVENTS`` with a stream of another program; reports if a service changed it."""
    nc = await nats.connect(cluster.urls_of(system.stack), connect_timeout=5)
    try:
        js = nc.jetstream()
        before = await _replace_events(js)
        await asyncio.sleep(seconds)
        after = (await js.stream_info(EVENTS)).config
        await js.delete_stream(EVENTS)
    finally:
        await nc.close()
    if after != before:
        raise AssertionError(f"the stream of another program was changed from {before} to {after}")
    return "refused and left alone"


def _reload(process: ServerProcess, options: dict[str, object]) -> None:
    server = process.server
    if not isinstance(server, NatsServer):
        raise TypeError(f"{server.name} is no nats-server")
    server.options = options
    server.prepare()
    os.kill(process.pid, signal.SIGHUP)


async def _replace_events(js: JetStreamContext) -> StreamConfig:
    """A service may create ``EVENTS`` again between the two steps: then both are repeated."""
    while True:
        with contextlib.suppress(NotFoundError):
            await js.delete_stream(EVENTS)
        try:
            return (await js.add_stream(_FOREIGN)).config
        except BadRequestError as error:
            if error.err_code != _STREAM_EXISTS:
                raise
