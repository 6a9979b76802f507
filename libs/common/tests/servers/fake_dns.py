"""A DNS server that knows one answer: an address for every name, which a test changes."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_HEADER = 12
_A = 1
_TTL = 1


class FakeDns(asyncio.DatagramProtocol):
    """Answers questions for IPv4 addresses with ``address``, good for a second; others with none.

    The messages are those of RFC 1035.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.asked = 0
        self.port = 0
        self.transport: asyncio.DatagramTransport | None = None

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """See ``asyncio.DatagramProtocol``."""
        self.asked += 1
        end = data.index(b"\0", _HEADER) + 5
        question = data[_HEADER:end]
        kind = int.from_bytes(question[-4:-2], "big")
        answers = [socket.inet_aton(self.address)] if kind == _A else []
        head = data[:2] + b"\x81\x80" + b"\0\1" + len(answers).to_bytes(2, "big") + b"\0\0\0\0"
        records = [b"\xc0\x0c\0\1\0\1" + _TTL.to_bytes(4, "big") + b"\0\4" + found for found in answers]
        if self.transport is not None:
            self.transport.sendto(head + question + b"".join(records), addr)


@asynccontextmanager
async def fake_dns(address: str) -> AsyncIterator[FakeDns]:
    """One on a free port of this machine."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: FakeDns(address), local_addr=("127.0.0.1", 0)
    )
    server.transport, server.port = transport, transport.get_extra_info("sockname")[1]
    try:
        yield server
    finally:
        transport.close()
