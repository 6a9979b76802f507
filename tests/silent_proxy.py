"""A TCP proxy whose connections can go silent, as when a network drops their packets without a word."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

_CHUNK = 65536


@dataclass(eq=False)
class _Link:
    """One connection through the proxy; while it is silent, what either side sends is held back."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    open: asyncio.Event = field(default_factory=asyncio.Event)


class SilentProxy:
    """Forwards ``127.0.0.1:port`` to a server; an asynchronous context manager.

    Neither side notices the silence: both keep their connection, and the proxy accepts what they send.
    """

    def __init__(self, host: str, port: int) -> None:
        self.port = 0
        self._target = (host, port)
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def silence(self) -> int:
        """Forward nothing more on the connections there are; new ones work. Returns how many there are."""
        for link in self._links:
            link.open.clear()
        return len(self._links)

    def speak(self) -> None:
        """Deliver what was held back, and forward again."""
        for link in self._links:
            link.open.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        # Cancelled only by the end of the proxy; asyncio's server would report it.
        with suppress(OSError, asyncio.CancelledError):
            far_reader, far = await asyncio.open_connection(*self._target)
            link = _Link(writer, far)
            link.open.set()
            self._links.add(link)
            try:
                await asyncio.gather(_forward(link, reader, far), _forward(link, far_reader, writer))
            finally:
                self._links.discard(link)
                writer.transport.abort()
                far.transport.abort()


async def _forward(link: _Link, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(_CHUNK):
            await link.open.wait()
            if target.transport.is_closing():
                return
            target.write(data)
            await target.drain()
        await link.open.wait()
        target.close()
