"""A proxy between browser and gateway that stops forwarding without closing connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class SilentProxy:
    """Forwards TCP to ``port``; after :meth:`silence` existing connections carry no more data."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    def silence(self) -> None:
        """Stop forwarding on existing connections, like a router that has lost its connection table."""
        self._open, former = asyncio.Event(), self._open
        former.clear()
        self._open.set()

    def accept(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Forward a new connection until one side closes it."""
        task = asyncio.create_task(self._forward(source, sink, self._open))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Close all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _forward(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, is_open: asyncio.Event
    ) -> None:
        target_source, target_sink = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(source, target_sink, is_open))
                group.create_task(_pump(target_source, sink, is_open))
        except* OSError:
            pass
        finally:
            sink.close()
            target_sink.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, is_open: asyncio.Event) -> None:
    while data := await source.read(65536):
        # Discard later data until the owner gives up the connection.
        if is_open.is_set():
            sink.write(data)
            await sink.drain()
    if is_open.is_set():
        sink.close()


@asynccontextmanager
async def silent_proxy(port: int) -> AsyncIterator[SilentProxy]:
    """Serve until the block ends."""
    proxy = SilentProxy(port)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.end()
