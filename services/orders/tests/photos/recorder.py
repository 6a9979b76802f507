"""A server on all addresses of this machine that records connections, and a controllable name server."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ResolveResult

from pastelka_common.errors import JobError
from pastelka_orders.photos import urls
from pastelka_orders.photos.download import PhotoDownloader, Proxy
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.urls import UrlRules


@dataclass
class Recorder:
    """Listens on ``port`` of all addresses of this machine and sends ``answer`` to every client."""

    answer: bytes = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    connections: int = 0
    requests: list[str] = field(default_factory=list)
    port: int = 0

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self.answer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client sent nothing
        finally:
            writer.close()

    def redirect(self, target: str, status: int = 302) -> None:
        self.answer = (
            f"HTTP/1.1 {status} X\r\nLocation: {target}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        ).encode()


@asynccontextmanager
async def listening(recorder: Recorder) -> AsyncIterator[Recorder]:
    """Listen on 0.0.0.0 and ::, so that every spelling of this machine's address arrives."""
    with socket.socket(socket.AF_INET6) as both:
        both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        both.bind(("::", 0))
        recorder.port = both.getsockname()[1]
        async with await asyncio.start_server(recorder.hear, sock=both):
            yield recorder


class Names(AbstractResolver):
    """A name server: for each name a list of answers, each a list of addresses; the last one is repeated."""

    def __init__(self, answers: Mapping[str, Sequence[Sequence[str]]], ports: Mapping[str, int]) -> None:
        self.answers = {name: list(given) for name, given in answers.items()}
        self.ports = dict(ports)
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        self.asked.append(host)
        given = self.answers.get(host)
        if not given:
            raise OSError(None, "no such name")
        found = given.pop(0) if len(given) > 1 else given[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=self.ports.get(address, port),
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        return None


LOOPBACK = (
    "127.0.0.1",
    "127.8.9.10",
    "127.0.0.1.",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "2130706433",
    "0x7f000001",
    "0X7F000001",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "017700000001",
    "127.1",
    "127.0.1",
    "0",
    "0.0.0.0",  # noqa: S104 - to be refused
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:0:0]",
    "[::127.0.0.1]",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "l%6fcalhost",
    "\uff11\uff12\uff17.0.0.1",
    "\u2460\u2461\u2466.0.0.1",
    "127\u30020\u30020\u30021",
    "\uff4cocalhost",
)
ELSEWHERE = (
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.1.1",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "198.18.0.1",
    "[fd00:ec2::254]",
    "[fc00::1]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fe80::1%lo]",
    "[::1%25lo]",
    "[fec0::1]",
    "[ff02::1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:7f00:1::]",
    "[2001:db8::1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:10.0.0.1]",
)


def rules(*recorders: Recorder, allowed: Sequence[str] = ()) -> UrlRules:
    """Rules that allow any host at the recorders' ports if its address is public."""
    return UrlRules(allowed_hosts=allowed, ports=[80, 443, *(one.port for one in recorders)])


async def refused(
    intake: PhotoIntake, url: str, found: UrlRules, names: Names | None = None, *proxies: Proxy
) -> JobError:
    """The error of a download of ``url``."""
    async with PhotoDownloader(
        intake, rules=found, resolver=names, proxies=proxies, timeout=10, stall=5
    ) as downloader:
        with pytest.raises(JobError) as caught:
            await downloader.download(url)
    return caught.value


def taken_for_public(monkeypatch: pytest.MonkeyPatch, *wanted: str) -> None:
    """Treat these loopback addresses as public ones."""
    really = urls.is_public
    monkeypatch.setattr(urls, "is_public", lambda address: address in wanted or really(address))
