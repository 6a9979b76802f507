"""Raw HTTP/1.x, for requests that no HTTP library sends."""

import asyncio
import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

_DEADLINE = 30.0
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


@dataclass(frozen=True)
class Answer:
    """All bytes received on one connection until the server closed it."""

    raw: bytes

    @property
    def statuses(self) -> list[int]:
        """Statuses of the responses, without interim ones (1xx)."""
        found = [int(status) for status in _STATUS.findall(self.raw)]
        return [status for status in found if status >= 200]


def request(
    method: str, path: str, headers: Mapping[str, str], *, body: bytes = b"", version: str = "1.1"
) -> bytes:
    """One raw request; only ``Host`` is added."""
    lines = [f"{method} {path} HTTP/{version}", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def send(port: int, *pieces: bytes, finish: bool = False, until: bytes | None = None) -> Answer:
    """Send the pieces over one connection and read until the server closes it, or has sent ``until``.

    With ``finish`` the client closes its sending direction after the last piece, like a client that dies.
    Raises ``TimeoutError`` if neither happens within 30 s.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
        if finish:
            writer.write_eof()
        async with asyncio.timeout(_DEADLINE):
            return Answer(await _read(reader, until))
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader, until: bytes | None) -> bytes:
    received = bytearray()
    with contextlib.suppress(ConnectionError):  # bytes received before the reset count
        while (until is None or until not in received) and (piece := await reader.read(65536)):
            received += piece
    return bytes(received)
