"""Photo hosts as they are: long headers, odd redirects, cookies, encodings, share pages."""

import asyncio
import gzip
import socket
import zlib
from collections.abc import AsyncIterator, Callable
from importlib.metadata import version

import brotli
import pytest
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ResolveResult
from pydantic import ValidationError
from yarl import URL

from pastelka_common.errors import JobError, PermanentError
from pastelka_orders.photos import urls
from pastelka_orders.photos.download import PhotoDownloader
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.photo_limits import PhotoLimits
from pastelka_orders.photos.urls import UrlRules, direct_link
from pastelka_orders.settings import OrdersSettings


class Host:
    """A server that answers with what ``answer`` makes of a request, in pieces of ``piece`` bytes."""

    def __init__(self) -> None:
        self.answer: Callable[[str], bytes] = lambda request: ok(b"")
        self.requests: list[str] = []
        self.piece = 900
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.requests.append(request)
        answer = self.answer(request)
        for start in range(0, len(answer), self.piece):
            writer.write(answer[start : start + self.piece])
            await writer.drain()
        writer.close()

    def url(self, path: str = "/photo.jpg") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        return [request.split()[1] for request in self.requests]


def ok(content: bytes, *headers: str, status: int = 200) -> bytes:
    lines = [f"HTTP/1.1 {status} X", "Connection: close", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def moved(location: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 302 X", "Connection: close", "Content-Length: 0", *headers]
    return "\r\n".join(lines).encode() + b"\r\nLocation: " + location + b"\r\n\r\n"


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    running = Host()
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    async with server:
        yield running


@pytest.fixture
async def downloader(host: Host, intake: PhotoIntake) -> AsyncIterator[PhotoDownloader]:
    async with PhotoDownloader(
        intake, rules=UrlRules(allowed_hosts=[f"127.0.0.1:{host.port}"])
    ) as downloader:
        yield downloader


async def failure(downloader: PhotoDownloader, url: str) -> JobError:
    with pytest.raises(JobError) as caught:
        await downloader.download(url)
    return caught.value


@pytest.mark.parametrize("size", [9_000, 60_000])
async def test_headers_of_many_kilobytes_are_read(size, host, downloader, jpeg):
    host.answer = lambda request: ok(jpeg, "Content-Security-Policy: " + "a" * size)
    assert (await downloader.download(host.url())).content == jpeg


async def test_two_hundred_headers_are_read(host, downloader, jpeg):
    host.answer = lambda request: ok(jpeg, *(f"X-Trace-{number}: 1" for number in range(200)))
    assert (await downloader.download(host.url())).content == jpeg


async def test_a_header_beyond_the_limit_is_named_at_once(host, downloader, jpeg):
    host.answer = lambda request: ok(jpeg, "X-Long: " + "a" * 70_000)
    error = await failure(downloader, host.url())
    assert (type(error), error.code) == (PermanentError, "photo_answer_unexpected")
    assert "64 KB" in error.message


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (b"/f/caf\xe9.jpg", "/f/caf%E9.jpg"),
        ("/f/café.jpg".encode(), "/f/caf%C3%A9.jpg"),
        (b"/f/caf%E9.jpg?sig=a%2Fb%2B", "/f/caf%E9.jpg?sig=a%2Fb%2B"),
        (b"/f/\xfe\xff?a=\xe9", "/f/%FE%FF?a=%E9"),
        (b"photo.jpg#fragment", "/album/photo.jpg"),
        (b"?size=full", "/album/?size=full"),
    ],
)
async def test_redirect_urls_are_encoded_like_in_a_browser(location, path, host, downloader, jpeg):
    host.answer = lambda request: moved(location) if request.startswith("GET /album/ ") else ok(jpeg)
    assert (await downloader.download(host.url("/album/"))).content == jpeg
    assert host.paths == ["/album/", path]


async def test_a_cookie_is_kept_within_one_download(host, downloader, jpeg):
    """A redirect to the same address that sets a cookie: the second request must bring it."""

    def answer(request: str) -> bytes:
        if "Cookie: seen=a%20b=; consent=yes" in request:
            return ok(jpeg)
        return moved(b"/photo.jpg", "Set-Cookie: seen=a%20b=; Path=/", "Set-Cookie: consent=yes; HttpOnly")

    host.answer = answer
    assert (await downloader.download(host.url())).content == jpeg
    assert len(host.requests) == 2
    await downloader.download(host.url())
    assert "Cookie" not in host.requests[2]


@pytest.mark.parametrize(
    ("name", "encode"),
    [
        ("br", brotli.compress),
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("identity", bytes),
        ("utf-8", bytes),
    ],
)
async def test_an_unrequested_content_encoding_is_decoded(name, encode, host, downloader, jpeg):
    host.answer = lambda request: ok(encode(jpeg), f"Content-Encoding: {name}")
    assert (await downloader.download(host.url())).content == jpeg
    assert "Accept-Encoding: identity\r\n" in host.requests[0]


@pytest.mark.parametrize("name", ["gzip", "br", "deflate", "zstd", "nonsense"])
async def test_a_wrong_content_encoding_header_is_ignored(name, host, downloader, jpeg):
    host.answer = lambda request: ok(jpeg, f"Content-Encoding: {name}")
    assert (await downloader.download(host.url())).content == jpeg


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gzip", b"no gzip"),
        ("br", b"\xff no brotli"),
        ("deflate", b"no zlib"),
        ("gzip", gzip.compress(bytes(5000))[:-9]),
        ("br", brotli.compress(bytes(5000))[:-1]),
        ("deflate", zlib.compress(bytes(5000))[:-5]),
        ("zstd", b"\x28\xb5\x2f\xfd"),
        ("gzip, br", gzip.compress(b"twice")),
    ],
    ids=["no gzip", "no br", "no deflate", "cut gzip", "cut br", "cut deflate", "unknown", "two"],
)
async def test_an_encoding_that_cannot_be_decoded_is_named_at_once(name, content, host, downloader):
    host.answer = lambda request: ok(content, f"Content-Encoding: {name}")
    error = await failure(downloader, host.url("/a.jpg"))
    assert (type(error), error.code) == (PermanentError, "photo_encoding_invalid")
    assert error.message.startswith(f"a.jpg: the photo has the content encoding '{name}'")


@pytest.mark.parametrize(
    ("name", "encode"), [("gzip", gzip.compress), ("br", brotli.compress), ("deflate", zlib.compress)]
)
async def test_an_encoded_bomb_is_stopped_at_the_limit(name, encode, host):
    host.answer = lambda request: ok(encode(bytes(60_000_000)), f"Content-Encoding: {name}")
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{host.port}"])
    async with PhotoDownloader(PhotoIntake(PhotoLimits(max_bytes=1_000_000)), rules=rules) as downloader:
        assert (await failure(downloader, host.url())).code == "photo_too_large"


async def test_the_user_agent_is_that_of_a_browser(host, intake, jpeg):
    def answer(request: str) -> bytes:
        is_browser = "User-Agent: Mozilla/5.0 " in request and "Referer: https://shop.example/" in request
        return ok(jpeg) if is_browser else ok(b"", status=403)

    host.answer = answer
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{host.port}"])
    async with PhotoDownloader(intake, rules=rules, referer="https://shop.example/") as downloader:
        assert (await downloader.download(host.url())).content == jpeg
    assert f"(compatible; Pastelka/{version('pastelka-orders')})" in host.requests[0]
    async with PhotoDownloader(intake, rules=rules, user_agent="curl/8") as downloader:
        assert (await failure(downloader, host.url())).code == "photo_access_refused"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("photo_user_agent", "two\r\nlines"),
        ("photo_referer", "shop.example"),
        ("photo_referer", "http://a b"),
    ],
)
def test_headers_that_cannot_be_sent_are_refused_at_start(name, value):
    with pytest.raises(ValidationError, match=name):
        OrdersSettings.model_validate({"database_url": "postgresql+asyncpg:///x", name: value})


class LoopbackNames(AbstractResolver):
    """Every name leads to ``port`` of this machine."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def resolve(self, host: str, port: int = 0, family=socket.AF_INET) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=self.port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        pass


@pytest.fixture
async def anywhere(host: Host, intake: PhotoIntake, monkeypatch) -> AsyncIterator[PhotoDownloader]:
    """Every name of the internet leads to ``host``."""
    monkeypatch.setattr(urls, "is_public", lambda address: True)
    async with PhotoDownloader(intake, resolver=LoopbackNames(host.port)) as downloader:
        yield downloader


@pytest.mark.parametrize(
    ("link", "service"),
    [
        ("http://photos.app.goo.gl/AbC", "Google Photos"),
        ("http://photos.google.com/share/x?key=y", "Google Photos"),
        ("http://drive.google.com/file/d/1aB/view?usp=sharing", "Google Drive"),
        ("http://drive.google.com/drive/folders/1aB", "Google Drive"),
        ("http://www.dropbox.com/scl/fi/x/a.jpg?rlkey=k&dl=0", "Dropbox"),
        ("http://www.dropbox.com/scl/fo/x?dl=0", "Dropbox"),
        ("http://share.icloud.com/photos/0abc", "iCloud"),
        ("http://www.icloud.com/iclouddrive/0abc#a", "iCloud"),
        ("http://1drv.ms/i/s!abc", "OneDrive"),
        ("http://we.tl/t-abc", "WeTransfer"),
        ("http://me.rajce.idnes.cz/album/", "Rajče"),
    ],
)
@pytest.mark.parametrize("status", [200, 403, 404])
async def test_a_share_page_error_names_its_service(link, service, status, host, anywhere):
    host.answer = lambda request: ok(b"<!doctype html><title>Sign in</title>", status=status)
    error = await failure(anywhere, link)
    assert (type(error), error.code) == (PermanentError, "photo_share_page")
    assert f"a page of {service}," in error.message
    assert "Ask the customer" in error.message


async def test_a_short_link_to_a_share_page_names_the_service(host, anywhere):
    host.answer = lambda request: (
        moved(b"http://photos.google.com/share/x") if "Host: bit.ly" in request else ok(b"<html>")
    )
    error = await failure(anywhere, "http://bit.ly/abc")
    assert error.code == "photo_share_page"
    assert "Google Photos" in error.message


async def test_another_web_page_is_reported_as_not_an_image(host, anywhere):
    host.answer = lambda request: ok(b"<html>")
    assert (await failure(anywhere, "http://notdropbox.com/s/a.jpg")).code == "photo_not_an_image"


@pytest.mark.parametrize(
    ("link", "asked"),
    [
        ("http://www.dropbox.com/s/abc/a.jpg?dl=0", "/s/abc/a.jpg?dl=1"),
        ("http://drive.google.com/file/d/1a-B_/view", "/download?id=1a-B_&export=download&confirm=t"),
    ],
)
async def test_share_links_of_a_file_are_downloaded(link, asked, host, anywhere, jpeg):
    """As these services do it: the direct form redirects to a host for content, with a cookie."""

    def answer(request: str) -> bytes:
        if request.startswith(f"GET {asked} "):
            return moved(b"http://dl.example/file", "Set-Cookie: a=b")
        return ok(jpeg) if "GET /file " in request else ok(b"<html>a page for people")

    host.answer = answer
    assert (await anywhere.download(link)).content == jpeg


@pytest.mark.parametrize(
    ("link", "direct"),
    [
        (
            "https://drive.google.com/file/d/1aB/view?usp=sharing&resourcekey=0-x",
            "https://drive.usercontent.google.com/download?id=1aB&export=download&confirm=t&resourcekey=0-x",
        ),
        (
            "https://drive.google.com/u/1/file/d/1aB/edit",
            "https://drive.usercontent.google.com/download?id=1aB&export=download&confirm=t",
        ),
        (
            "https://drive.google.com/open?id=1aB",
            "https://drive.usercontent.google.com/download?id=1aB&export=download&confirm=t",
        ),
        (
            "https://docs.google.com/uc?export=download&id=1aB",
            "https://drive.usercontent.google.com/download?id=1aB&export=download&confirm=t",
        ),
        ("https://drive.google.com/drive/folders/1aB", "https://drive.google.com/drive/folders/1aB"),
        ("https://drive.google.com/open", "https://drive.google.com/open"),
        ("https://dropbox.com/s/x/a.jpg", "https://dropbox.com/s/x/a.jpg?dl=1"),
        (
            "https://www.dropbox.com/scl/fi/x/a.jpg?rlkey=k&raw=1",
            "https://www.dropbox.com/scl/fi/x/a.jpg?rlkey=k&dl=1",
        ),
        ("https://www.dropbox.com/scl/fo/x?dl=0", "https://www.dropbox.com/scl/fo/x?dl=0"),
        ("https://dl.dropboxusercontent.com/s/x/a.jpg", "https://dl.dropboxusercontent.com/s/x/a.jpg"),
        ("https://example.com/s/x?dl=0", "https://example.com/s/x?dl=0"),
    ],
)
def test_share_links_are_converted_to_direct_links(link, direct):
    assert str(direct_link(URL(link))) == direct
