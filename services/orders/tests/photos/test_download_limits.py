"""Limits of a download: bytes, time, concurrent downloads of a host."""

import asyncio
import time

import pytest

from pastelka_common.errors import PermanentError, PostponedError, TransientError
from pastelka_orders.photos.download import PhotoDownloader
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.photo_limits import PhotoLimits
from pastelka_orders.photos.urls import UrlRules
from services.orders.tests.photos.photo_site import OK, body, chunked, failure


@pytest.mark.parametrize("frame", [body, chunked, lambda content: OK + b"\r\n" + content])
async def test_an_oversized_download_is_a_permanent_error(frame, site, temporary, jpeg):
    site.answer = frame(b"\xff\xd8\xff" + bytes(3_000_000))
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{site.port}"])
    async with PhotoDownloader(PhotoIntake(PhotoLimits(max_bytes=1_000_000)), rules=rules) as downloader:
        error = await failure(downloader, site.url())
    assert (type(error), error.code) == (PermanentError, "photo_too_large")
    assert list(temporary.iterdir()) == []


async def test_a_stalled_server_is_a_transient_error(site, intake):
    release = asyncio.Event()
    site.before = release.wait
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{site.port}"])
    async with PhotoDownloader(intake, rules=rules, stall=0.1) as downloader:
        error = await failure(downloader, site.url())
    release.set()
    assert (type(error), error.code) == (TransientError, "photo_download_timeout")


async def test_concurrent_downloads_per_host_are_limited(site, intake, jpeg):
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


async def test_a_download_waiting_for_a_busy_host_is_postponed(site, internal_site, intake, jpeg):
    """One host holds back its answers; a photo of another one comes meanwhile."""
    release = asyncio.Event()
    both = asyncio.Event()

    async def hold() -> None:
        if site.connections == 2:
            both.set()
        await release.wait()

    site.before = hold
    site.answer_with(jpeg)
    internal_site.answer_with(jpeg)
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{site.port}", f"localhost:{internal_site.port}"])
    async with PhotoDownloader(intake, rules=rules, per_host=2, slot_timeout=0.1) as downloader:
        held = [asyncio.create_task(downloader.download(site.url(f"/{number}"))) for number in range(2)]
        async with asyncio.timeout(30):
            await both.wait()
            error = await failure(downloader, site.url("/3"))
            assert (type(error), error.code) == (PostponedError, "photo_host_busy")
            assert error.seconds > 0
            assert (await downloader.download(internal_site.url(host="localhost"))).content == jpeg
            release.set()
            assert [photo.content for photo in await asyncio.gather(*held)] == [jpeg] * 2
    assert site.connections == 2


async def test_a_host_that_sends_a_byte_at_a_time_times_out(intake, jpeg, temporary):
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


async def test_an_endless_body_is_aborted_at_the_size_limit(temporary):
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
