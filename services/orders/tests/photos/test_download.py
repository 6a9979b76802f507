"""A download returns the whole photo, or the reason why not."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib.metadata import version

import pytest

from pastelka_common.errors import PermanentError, TransientError
from pastelka_orders.photos.download import PhotoDownloader
from pastelka_orders.photos.http_responses import retry_after
from pastelka_orders.photos.urls import UrlRules
from services.orders.tests.photos.photo_site import OK, body, chunked, failure, redirect


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
async def test_each_http_error_maps_to_its_download_error(status, kind, code, site, downloader):
    site.answer = b"HTTP/1.1 %d Status\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" % status
    error = await failure(downloader, site.url())
    assert (type(error), error.code) == (kind, code)
    assert str(status) in error.message


async def test_the_retry_after_of_a_busy_server_is_passed_on(site, downloader):
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
async def test_content_that_is_not_a_photo_is_a_permanent_error(content, code, site, downloader):
    site.answer_with(content)
    error = await failure(downloader, site.url("/fotka%201.jpg?token=secret"))
    assert (type(error), error.code) == (PermanentError, code)
    assert error.message.startswith("fotka 1.jpg: ")
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "cut", [lambda whole: body(whole)[:-900], lambda whole: chunked(whole)[:-900], chunked]
)
async def test_an_interrupted_transfer_is_a_transient_error(cut, site, downloader, jpeg):
    site.answer = cut(jpeg)
    error = await failure(downloader, site.url())
    assert (type(error), error.code) == (TransientError, "photo_download_interrupted")


async def test_a_truncated_photo_without_a_content_length_is_a_transient_error(site, downloader, jpeg):
    site.answer = OK + b"\r\n" + jpeg[:-900]
    error = await failure(downloader, site.url())
    assert (type(error), error.code) == (TransientError, "photo_download_interrupted")
    site.answer = OK + b"\r\n" + jpeg
    assert (await downloader.download(site.url())).content == jpeg


async def test_a_photo_truncated_at_its_source_is_a_permanent_error(site, downloader, jpeg):
    site.answer = body(jpeg[:1000])
    error = await failure(downloader, site.url())
    assert (type(error), error.code) == (PermanentError, "photo_truncated")


async def test_a_content_length_that_is_too_short_is_an_error(site, downloader, jpeg):
    site.answer = OK + b"Content-Length: 1000\r\n\r\n" + jpeg
    assert (await failure(downloader, site.url())).code in {"photo_truncated", "photo_download_failed"}


async def test_a_closed_port_is_a_transient_error(intake, unused_tcp_port):
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{unused_tcp_port}"])
    async with PhotoDownloader(intake, rules=rules) as downloader:
        error = await failure(downloader, f"http://127.0.0.1:{unused_tcp_port}/a.jpg")
    assert (type(error), error.code) == (TransientError, "photo_download_failed")


async def test_a_non_http_response_is_a_transient_error(site, downloader):
    site.answer = b"SSH-2.0-OpenSSH_9.2\r\n\r\n"
    assert isinstance(await failure(downloader, site.url()), TransientError)


@pytest.mark.parametrize("said", [10, 10**9, 2**63, 10**30])
async def test_a_wrong_content_length_is_an_error(said, site, downloader, jpeg):
    site.answer = OK + b"Content-Length: %d\r\n\r\n" % said + jpeg
    error = await failure(downloader, site.url())
    assert error.code in {
        "photo_too_large",
        "photo_truncated",
        "photo_damaged",
        "photo_download_interrupted",
        "photo_download_failed",
    }
