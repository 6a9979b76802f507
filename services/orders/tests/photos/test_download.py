"""Photos come from where they may come from, whole, or with the reason why not."""

import asyncio
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib.metadata import version

import pytest
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ResolveResult

from pastelka_common.errors import JobError, PermanentError, PostponedError, TransientError
from pastelka_common.testing.wire import write_in_pieces
from pastelka_orders.photos import urls
from pastelka_orders.photos.download import PhotoDownloader
from pastelka_orders.photos.http_responses import retry_after
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.photo_limits import PhotoLimits
from pastelka_orders.photos.urls import UrlRules

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
            pass  # the client left: some tests are about that
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


@pytest.fixture
async def site():
    async with running_site() as running:
        yield running


@pytest.fixture
async def inside():
    """What a stranger's URL must never reach."""
    async with running_site() as running:
        yield running


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
async def downloader(site, intake, temporary):
    """May fetch from ``site``."""
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{site.port}"])
    async with PhotoDownloader(intake, rules=rules) as running:
        yield running
    assert list(temporary.iterdir()) == []


@pytest.fixture
async def guarded(inside, intake):
    """May fetch from any port, as long as the address is public."""
    async with PhotoDownloader(intake, rules=UrlRules(ports=[80, inside.port])) as running:
        yield running


class Names(AbstractResolver):
    """Names as a stranger's name server answers them, one list of addresses after the other."""

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


async def test_a_photo_is_fetched(site, downloader, jpeg):
    site.answer_with(jpeg)
    photo = await downloader.download(site.url())
    assert photo.content == jpeg
    assert (
        f"User-Agent: Mozilla/5.0 (compatible; Pastelka/{version('pastelka-orders')})\r\n" in site.requests[0]
    )
    assert "Referer" not in site.requests[0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(status, site, downloader, jpeg):
    site.answer = lambda path: body(jpeg) if path == "/there" else redirect("/there", status=status)
    assert (await downloader.download(site.url())).content == jpeg


async def test_redirects_are_followed_five_times(site, downloader, jpeg):
    site.answer = lambda path: body(jpeg) if path == "/.....!" else redirect(f"{path[:-1]}.!")
    assert (await downloader.download(site.url("/!"))).content == jpeg
    site.answer = redirect("/again")
    error = await failure(downloader, site.url())
    assert (type(error), error.code) == (PermanentError, "photo_redirects_too_often")
    assert site.connections == 12


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "0",
        "0.0.0.0",  # noqa: S104 - to be refused
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "\uff11\uff12\uff17.0.0.1",  # wide digits
    ],
)
async def test_the_inside_is_never_contacted(host, inside, guarded):
    error = await failure(guarded, inside.url(host=host))
    assert isinstance(error, PermanentError) or error.code == "photo_host_unknown"
    assert inside.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f000001", "169.254.169.254"])
async def test_refused_addresses_are_called_so(host, inside, guarded):
    error = await failure(guarded, inside.url(host=host))
    assert (type(error), error.code) == (PermanentError, "photo_address_refused")
    assert "public" in error.message


async def test_the_inside_would_have_answered(inside, intake, jpeg):
    """The counterpart of the refusals: the same addresses do lead to the server."""
    inside.answer_with(jpeg)
    hosts = ["127.0.0.1", "localhost", "0x7f000001", "0x7f.1"]
    rules = UrlRules(allowed_hosts=[f"{host}:{inside.port}" for host in hosts])
    async with PhotoDownloader(intake, rules=rules) as downloader:
        for host in hosts:
            assert (await downloader.download(inside.url(host=host))).content == jpeg
    assert inside.connections == len(hosts)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "[::ffff:7f00:1]", "169.254.169.254"]
)
async def test_a_redirect_into_the_inside_is_refused(host, site, inside, intake):
    site.answer = redirect(inside.url(host=host))
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{site.port}"], ports=[80, inside.port])
    async with PhotoDownloader(intake, rules=rules) as downloader:
        error = await failure(downloader, site.url())
    assert isinstance(error, PermanentError)
    assert error.code in {"photo_address_refused", "photo_url_refused"}
    assert (site.connections, inside.connections) == (1, 0)


@pytest.mark.parametrize("target", ["ftp://example.com/", "file:///etc/passwd", "http://example.com:22/"])
async def test_a_redirect_to_anything_but_the_web_is_refused(target, site, downloader):
    site.answer = redirect(target)
    assert (await failure(downloader, site.url())).code == "photo_url_refused"


async def test_a_name_that_leads_inside_is_refused(inside, intake):
    names = Names([("127.0.0.1", inside.port)])
    async with PhotoDownloader(intake, resolver=names) as downloader:
        error = await failure(downloader, "http://photos.example/a.jpg")
    assert (type(error), error.code) == (PermanentError, "photo_address_refused")
    assert inside.connections == 0


async def test_a_name_that_leads_inside_in_several_ways_is_refused(inside, intake):
    names = Names([("127.0.0.1", inside.port), ("::1", inside.port), ("10.0.0.1", 80)])
    async with PhotoDownloader(intake, resolver=names) as downloader:
        error = await failure(downloader, "http://photos.example/a.jpg")
    assert (type(error), error.code) == (PermanentError, "photo_address_refused")
    assert inside.connections == 0


async def test_a_name_that_changes_its_address_is_refused(site, inside, intake, monkeypatch):
    """The name leads to a good address first, and inside when it is connected to again (DNS rebinding)."""
    verdicts = iter([True, False])
    monkeypatch.setattr(urls, "is_public", lambda address: next(verdicts))
    site.answer = redirect("http://photos.example/again")
    names = Names([("127.0.0.1", site.port)], [("127.0.0.1", inside.port)])
    async with PhotoDownloader(intake, resolver=names) as downloader:
        error = await failure(downloader, "http://photos.example/a.jpg")
    assert (type(error), error.code) == (PermanentError, "photo_address_refused")
    assert (site.connections, inside.connections) == (1, 0)
    assert names.answers == []


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (404, PermanentError, "photo_gone"),
        (410, PermanentError, "photo_gone"),
        (401, PermanentError, "photo_access_refused"),
        (403, PermanentError, "photo_access_refused"),
        (400, PermanentError, "photo_answer_unexpected"),
        (204, PermanentError, "photo_answer_unexpected"),
        (206, PermanentError, "photo_answer_unexpected"),
        (304, PermanentError, "photo_answer_unexpected"),
        (302, PermanentError, "photo_answer_unexpected"),
        (408, TransientError, "photo_server_busy"),
        (425, TransientError, "photo_server_busy"),
        (429, TransientError, "photo_server_busy"),
        (500, TransientError, "photo_server_busy"),
        (503, TransientError, "photo_server_busy"),
        (526, TransientError, "photo_server_busy"),
    ],
)
async def test_answers_that_are_no_photo(status, kind, code, site, downloader):
    site.answer = b"HTTP/1.1 %d Status\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" % status
    error = await failure(downloader, site.url())
    assert (type(error), error.code) == (kind, code)
    assert str(status) in error.message


async def test_a_busy_servers_wish_is_passed_on(site, downloader):
    site.answer = b"HTTP/1.1 503 Busy\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n"
    error = await failure(downloader, site.url())
    assert isinstance(error, TransientError)
    assert error.retry_after == 17


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0),
        (" 12 ", 12),
        ("999999", 3600),
        ("9" * 400, 3600),
        ("-5", None),
        ("soon", None),
        ("1.5", None),
        ("nan", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
    ],
)
def test_retry_after(value, seconds):
    assert retry_after(value) == seconds


def test_retry_after_a_date():
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert retry_after(in_a_minute) == pytest.approx(60, abs=2)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<html>Sign in</html>", "photo_not_an_image"),
        (b"", "photo_empty"),
        (b"<svg/>", "photo_unsupported_format"),
    ],
)
async def test_what_is_no_photo_is_permanent(content, code, site, downloader):
    site.answer_with(content)
    error = await failure(downloader, site.url("/fotka%201.jpg?token=secret"))
    assert (type(error), error.code) == (PermanentError, code)
    assert error.message.startswith("fotka 1.jpg: ")
    assert "secret" not in str(error)


def chunked(content: bytes) -> bytes:
    return OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(content) + content


@pytest.mark.parametrize(
    "cut", [lambda whole: body(whole)[:-900], lambda whole: chunked(whole)[:-900], chunked]
)
async def test_a_broken_transfer_is_tried_again(cut, site, downloader, jpeg):
    site.answer = cut(jpeg)
    error = await failure(downloader, site.url())
    assert (type(error), error.code) == (TransientError, "photo_download_interrupted")


async def test_a_cut_photo_without_a_length_may_have_been_broken_off(site, downloader, jpeg):
    site.answer = OK + b"\r\n" + jpeg[:-900]
    error = await failure(downloader, site.url())
    assert (type(error), error.code) == (TransientError, "photo_download_interrupted")
    site.answer = OK + b"\r\n" + jpeg
    assert (await downloader.download(site.url())).content == jpeg


async def test_a_photo_cut_at_its_source_is_permanent(site, downloader, jpeg):
    site.answer = body(jpeg[:1000])
    error = await failure(downloader, site.url())
    assert (type(error), error.code) == (PermanentError, "photo_truncated")


async def test_a_length_too_short_is_no_photo(site, downloader, jpeg):
    site.answer = OK + b"Content-Length: 1000\r\n\r\n" + jpeg
    assert (await failure(downloader, site.url())).code in {"photo_truncated", "photo_download_failed"}


@pytest.mark.parametrize("frame", [body, chunked, lambda content: OK + b"\r\n" + content])
async def test_too_many_bytes_are_permanent(frame, site, temporary, jpeg):
    site.answer = frame(b"\xff\xd8\xff" + bytes(3_000_000))
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{site.port}"])
    async with PhotoDownloader(PhotoIntake(PhotoLimits(max_bytes=1_000_000)), rules=rules) as downloader:
        error = await failure(downloader, site.url())
    assert (type(error), error.code) == (PermanentError, "photo_too_large")
    assert list(temporary.iterdir()) == []


async def test_a_silent_server_is_tried_again(site, intake):
    release = asyncio.Event()
    site.before = release.wait
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{site.port}"])
    async with PhotoDownloader(intake, rules=rules, stall=0.1) as downloader:
        error = await failure(downloader, site.url())
    release.set()
    assert (type(error), error.code) == (TransientError, "photo_download_timeout")


async def test_a_closed_port_is_tried_again(intake, unused_tcp_port):
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{unused_tcp_port}"])
    async with PhotoDownloader(intake, rules=rules) as downloader:
        error = await failure(downloader, f"http://127.0.0.1:{unused_tcp_port}/a.jpg")
    assert (type(error), error.code) == (TransientError, "photo_download_failed")


async def test_nonsense_instead_of_http_is_tried_again(site, downloader):
    site.answer = b"SSH-2.0-OpenSSH_9.2\r\n\r\n"
    assert isinstance(await failure(downloader, site.url()), TransientError)


async def test_an_unknown_name_is_tried_again(intake):
    class NoNames(Names):
        async def resolve(self, host: str, port: int = 0, family=socket.AF_INET) -> list[ResolveResult]:
            raise OSError(None, "no such name")

    async with PhotoDownloader(intake, resolver=NoNames()) as downloader:
        error = await failure(downloader, "http://photos.example/a.jpg")
    assert (type(error), error.code) == (TransientError, "photo_host_unknown")


@pytest.mark.parametrize("host", ["a..b", "a" * 70, "-", "xn--a"])
async def test_impossible_names_are_no_crash(host, downloader):
    assert isinstance(await failure(downloader, f"http://{host}/a.jpg"), JobError)


async def test_one_host_is_not_overrun(site, intake, jpeg):
    """Of five downloads two are under way at once, and all arrive."""
    site.answer_with(jpeg)
    both, release = asyncio.Event(), asyncio.Event()
    under_way = most = 0

    async def hold() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == 2:
            both.set()
        await release.wait()
        under_way -= 1

    site.before = hold
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{site.port}"])
    async with (
        PhotoDownloader(intake, rules=rules, per_host=2, slot_timeout=60) as downloader,
        asyncio.timeout(60),
    ):
        tasks = [asyncio.create_task(downloader.download(site.url(f"/{number}"))) for number in range(5)]
        await both.wait()
        assert site.connections == 2
        release.set()
        photos = await asyncio.gather(*tasks)
    assert [photo.content for photo in photos] == [jpeg] * 5
    assert most == 2


async def test_a_cancelled_download_leaves_nothing(site, downloader, temporary):
    arrived, release = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        arrived.set()
        await release.wait()

    site.before = hold
    task = asyncio.create_task(downloader.download(site.url()))
    async with asyncio.timeout(5):
        await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()
    assert list(temporary.iterdir()) == []


async def test_who_waits_for_a_turn_for_long_makes_room(site, inside, intake, jpeg):
    """One host holds back its answers; a photo of another one comes meanwhile."""
    release = asyncio.Event()
    both = asyncio.Event()

    async def hold() -> None:
        if site.connections == 2:
            both.set()
        await release.wait()

    site.before = hold
    site.answer_with(jpeg)
    inside.answer_with(jpeg)
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{site.port}", f"localhost:{inside.port}"])
    async with PhotoDownloader(intake, rules=rules, per_host=2, slot_timeout=0.1) as downloader:
        held = [asyncio.create_task(downloader.download(site.url(f"/{number}"))) for number in range(2)]
        async with asyncio.timeout(30):
            await both.wait()
            error = await failure(downloader, site.url("/3"))
            assert (type(error), error.code) == (PostponedError, "photo_host_busy")
            assert error.seconds > 0
            assert (await downloader.download(inside.url(host="localhost"))).content == jpeg
            release.set()
            assert [photo.content for photo in await asyncio.gather(*held)] == [jpeg] * 2
    assert site.connections == 2


async def test_a_host_that_sends_a_byte_at_a_time_has_a_time_limit(intake, jpeg, temporary):
    """Every piece comes in time; it is the whole that does not."""

    async def dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK + b"Content-Length: %d\r\n\r\n" % len(jpeg))
            for byte in jpeg:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass  # the client has had enough
        finally:
            writer.close()

    server = await asyncio.start_server(dribble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{port}"])
    started = time.monotonic()
    async with server, PhotoDownloader(intake, rules=rules, timeout=1.0, stall=0.9) as downloader:
        error = await failure(downloader, f"http://127.0.0.1:{port}/a.jpg")
    assert (type(error), error.code) == (TransientError, "photo_download_timeout")
    assert 0.9 < time.monotonic() - started < len(jpeg) * 0.05 / 2
    assert list(temporary.iterdir()) == []


async def test_a_body_without_an_end_is_broken_off_at_the_limit(temporary):
    """Neither length nor end: what is read is bounded, and the connection is dropped."""
    sent = 0
    dropped = asyncio.Event()

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK + b"\r\n\xff\xd8\xff")
            while True:
                writer.write(bytes(65536))
                await writer.drain()
                sent += 65536
        except ConnectionError:
            dropped.set()
        finally:
            writer.close()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{port}"])
    async with server:
        intake = PhotoIntake(PhotoLimits(max_bytes=1_000_000))
        async with PhotoDownloader(intake, rules=rules) as downloader:
            error = await failure(downloader, f"http://127.0.0.1:{port}/a.jpg")
        async with asyncio.timeout(30):
            await dropped.wait()
    assert (type(error), error.code) == (PermanentError, "photo_too_large")
    assert sent < 20_000_000
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("said", [10, 10**9, 2**63, 10**30])
async def test_a_length_that_lies_is_no_photo(said, site, downloader, jpeg):
    site.answer = OK + b"Content-Length: %d\r\n\r\n" % said + jpeg
    error = await failure(downloader, site.url())
    assert error.code in {
        "photo_too_large",
        "photo_truncated",
        "photo_damaged",
        "photo_download_interrupted",
        "photo_download_failed",
    }
