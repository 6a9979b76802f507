"""An HTTP server on a loopback port, whose responses a test gives byte for byte."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ResolveResult

from pastelka_common.errors import JobError
from pastelka_common.testing.wire import write_in_pieces
from pastelka_orders.photos.download import PhotoDownloader

OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


class Site:
    """A server on a loopback port that answers every request with ``answer``, byte for byte."""

    def __init__(self) -> None:
        self.answer: bytes | Callable[[str], bytes] = OK + b"Content-Length: 0\r\n\r\n"
        self.before: Callable[[], Awaitable[object]] | None = None
        self.connections = 0
        self.requests: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(request)
            if self.before:
                await self.before()
            path = request.split()[1]
            await write_in_pieces(writer, self.answer(path) if callable(self.answer) else self.answer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client closed the connection, as some tests do
        finally:
            writer.close()

    def url(self, path: str = "/photo.jpg", *, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def answer_with(self, content: bytes) -> None:
        self.answer = body(content)


def body(content: bytes) -> bytes:
    return OK + b"Content-Length: %d\r\n\r\n" % len(content) + content


def redirect(target: str, *, status: int = 302) -> bytes:
    head = f"HTTP/1.1 {status} Moved\r\nConnection: close\r\nContent-Length: 0\r\n"
    return f"{head}Location: {target}\r\n\r\n".encode()


@asynccontextmanager
async def running_site() -> AsyncIterator[Site]:
    site = Site()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    async with server:
        yield site


class Names(AbstractResolver):
    """A name server that gives one list of addresses after another."""

    def __init__(self, *answers: list[tuple[str, int]]) -> None:
        self.answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family=socket.AF_INET) -> list[ResolveResult]:
        answer = self.answers.pop(0)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address, port in answer
        ]

    async def close(self) -> None:
        pass


async def failure(downloader: PhotoDownloader, url: str) -> JobError:
    with pytest.raises(JobError) as caught:
        await downloader.download(url)
    return caught.value


def chunked(content: bytes) -> bytes:
    return OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(content) + content
