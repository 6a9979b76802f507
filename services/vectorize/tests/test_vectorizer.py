"""The Vectorizer.ai provider over real HTTP against the fake: what is sent, and what each answer means."""

import asyncio
import hashlib
import io
import itertools
import json
import socket
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import httpx
import numpy as np
import pytest
import pytest_asyncio
from aiohttp import web
from PIL import Image
from pydantic import SecretStr

from pastelka_common.contracts.options import GroupBy, ShapeStacking
from pastelka_common.contracts.statuses import SvgProcessingStatus
from pastelka_common.errors import JobError, PermanentError, SubmitUnknownError, TransientError
from pastelka_common.testing.fake_vectorizer import FakeVectorizer
from pastelka_vectorize.providers.vectorizer import VectorizerProvider, responses, upload
from pastelka_vectorize.svg import clean


def provider_of(fake: FakeVectorizer, **changes) -> VectorizerProvider:
    settings = {
        "base_url": fake.base_url,
        "api_key": fake.api_key,
        "api_secret": SecretStr(fake.api_secret),
        "timeout": 10,
    }
    return VectorizerProvider(**settings | changes)


@pytest_asyncio.fixture
async def provider(fake):
    made = provider_of(fake)
    yield made
    await made.aclose()


async def error_from(provider, request, steps) -> JobError:
    with pytest.raises(JobError) as caught:
        await provider.vectorize(request, steps)
    return caught.value


async def test_goes_through_the_proxy_of_the_environment(fake, make_request, steps, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", fake.base_url.removesuffix("/api/v1"))
    provider = provider_of(fake, base_url="http://vectorizer.invalid/api/v1")
    try:
        assert clean(await provider.vectorize(make_request(), steps))
    finally:
        await provider.aclose()
    assert len(fake.requests) == 1


STRAY = (302, 400, 401, 402, 403, 404, 405, 409, 413, 425)
"""Answers of a proxy or gateway on the way, without an error of the API."""


async def test_sends_the_page_and_returns_the_svg(provider, fake, make_request, steps, page):
    svg = await provider.vectorize(make_request(), steps)
    assert clean(svg)
    assert steps.seen == [SvgProcessingStatus.VECTORIZER_PROCESSING]
    [seen] = fake.requests
    assert (seen.filename, seen.content_type) == ("image.png", "image/png")
    assert seen.image == page.read_bytes()
    assert fake.stats()["by_image"] == {hashlib.sha256(page.read_bytes()).hexdigest(): 1}


@pytest.mark.parametrize("options", list(itertools.product(ShapeStacking, GroupBy)), ids="-".join)
async def test_sends_the_options(provider, fake, make_request, steps, options):
    stacking, group_by = options
    await provider.vectorize(make_request(shape_stacking=stacking, group_by=group_by), steps)
    assert fake.requests[-1].fields == {
        "output.file_format": "svg",
        "output.shape_stacking": "stacked" if stacking == "stacked" else "cutouts",
        "output.group_by": group_by.value,
        "output.parameterized_shapes.flatten": "true",
    }


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (400, (PermanentError, "provider_refused")),
        (401, (PermanentError, "provider_unauthorized")),
        (402, (PermanentError, "provider_out_of_credit")),
        (403, (PermanentError, "provider_unauthorized")),
        (404, (PermanentError, "provider_refused")),
        (413, (PermanentError, "provider_refused")),
        (429, (TransientError, "provider_rate_limited")),
        (408, (TransientError, "provider_unavailable")),
        (500, (TransientError, "provider_unavailable")),
        (502, (SubmitUnknownError, "provider_unavailable")),
        (503, (TransientError, "provider_unavailable")),
        *((f"stray {status}", (TransientError, "provider_unavailable")) for status in STRAY),
        ("drop", (SubmitUnknownError, "connection_lost")),
        ("garbage", (PermanentError, "provider_output_invalid")),
        ("truncated", (PermanentError, "provider_output_invalid")),
    ],
)
async def test_each_failure_maps_to_its_error(fake, make_request, steps, failure, expected):
    provider = provider_of(fake)
    fake.fail(failure)
    error = await error_from(provider, make_request(), steps)
    assert (type(error), error.code) == expected
    assert fake.api_secret not in str(error)
    assert steps.seen == [SvgProcessingStatus.VECTORIZER_PROCESSING]
    assert await provider.vectorize(make_request(), steps)
    await provider.aclose()
    assert fake.stats()["requests"] == 2  # nothing was tried again behind the job's back


async def test_error_messages_are_readable(provider, fake, make_request, steps):
    fake.fail(400, 402)
    refused = await error_from(provider, make_request(), steps)
    assert refused.message == "Vectorizer.ai refused the page (400): Failed to read the supplied image."
    out_of_credit = await error_from(provider, make_request(), steps)
    assert out_of_credit.message == "Vectorizer.ai: out of credit (402). Top up the account and retry."


async def test_a_wrong_secret_is_unauthorized_and_not_revealed(fake, make_request, steps):
    provider = provider_of(fake, api_secret=SecretStr("not-the-secret"))
    error = await error_from(provider, make_request(), steps)
    await provider.aclose()
    assert error.code == "provider_unauthorized"
    assert "not-the-secret" not in str(error)
    assert fake.api_key not in str(error)


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_seconds(provider, fake, make_request, steps, status):
    fake.retry_after = "17"
    fake.fail(status)
    error = await error_from(provider, make_request(), steps)
    assert isinstance(error, TransientError)
    assert error.retry_after == 17


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        ("0", 0, 0),
        ("2.5", 2.5, 2.5),
        ("999999", 3600, 3600),
        ("-5", 0, 0),
    ],
)
def test_retry_after_values(value, low, high):
    assert low <= responses.retry_after(httpx.Headers({"Retry-After": value})) <= high


@pytest.mark.parametrize(("ahead", "low", "high"), [(600, 500, 600), (-86_400, 0, 0)])
def test_retry_after_may_be_a_date(ahead, low, high):
    value = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
    assert low <= responses.retry_after(httpx.Headers({"Retry-After": value})) <= high


@pytest.mark.parametrize("value", ["", "soon", "nan", "inf", "Mon, 99 Foo 2026"])
def test_an_invalid_retry_after_is_none(value):
    assert responses.retry_after(httpx.Headers({"Retry-After": value})) is None


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"error": "no"}', b'{"error": {"code": 1}}']
)
def test_a_400_without_an_api_error_body_is_transient(body):
    error = responses.error_of(400, httpx.Headers(), body)
    assert isinstance(error, TransientError)
    assert "check VECTORIZER_BASE_URL" in error.message


def test_an_empty_error_message_is_reported_as_no_reason():
    error = responses.error_of(400, httpx.Headers(), b'{"error": {"message": ""}}')
    assert error.message == "Vectorizer.ai refused the page (400): no reason given."


def test_long_messages_are_cut_to_one_line():
    body = json.dumps({"error": {"message": "line\n" * 1000}}).encode()
    message = responses.error_of(400, httpx.Headers(), body).message
    assert "\n" not in message
    assert len(message) < 400


async def test_an_oversized_response_is_rejected(provider, fake, make_request, steps, monkeypatch):
    monkeypatch.setattr("pastelka_vectorize.providers.vectorizer.provider.MAX_RESPONSE", 3 << 20)
    fake.fail("huge")
    error = await error_from(provider, make_request(), steps)
    assert (type(error), error.code) == (PermanentError, "provider_output_invalid")


@pytest.mark.parametrize("fault", ["chunked", "length", "gzip", "long_headers", "slow"])
async def test_a_response_is_read_completely_in_any_framing(provider, fake, make_request, steps, fault):
    fake.wire.misbehave(fault)
    assert (await provider.vectorize(make_request(), steps)).rstrip().endswith(b"</svg>")


@pytest.mark.parametrize("framing", ["chunked", "length"])
async def test_a_truncated_response_may_have_been_charged(provider, fake, make_request, steps, framing):
    fake.wire.misbehave(frozenset({"truncated", framing}))
    error = await error_from(provider, make_request(), steps)
    assert (type(error), error.code) == (SubmitUnknownError, "answer_truncated")
    assert "ended early" in error.message


async def test_a_truncated_error_response_is_transient(provider, fake, make_request, steps):
    fake.fail(402)
    fake.wire.misbehave("truncated")
    error = await error_from(provider, make_request(), steps)
    assert (type(error), error.code) == (TransientError, "provider_unavailable")


async def test_a_timeout_error_warns_of_a_possible_charge(fake, make_request, steps):
    provider = provider_of(fake, timeout=0.2)
    fake.fail("hang")
    error = await error_from(provider, make_request(), steps)
    await provider.aclose()
    assert (type(error), error.code) == (SubmitUnknownError, "timeout")
    assert "charged" in error.message


async def test_a_refused_connection_is_transient(fake, make_request, steps):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        provider = provider_of(fake, base_url=f"http://127.0.0.1:{unused.getsockname()[1]}/api/v1")
        error = await error_from(provider, make_request(), steps)
    await provider.aclose()
    assert (type(error), error.code) == (TransientError, "provider_unreachable")


async def test_a_non_http_response_is_a_lost_connection(fake, make_request, steps):
    async def answer(reader, writer):
        await reader.read(100)
        writer.write(b"SSH-2.0-OpenSSH_9\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        provider = provider_of(fake, base_url=f"http://127.0.0.1:{port}")
        error = await error_from(provider, make_request(), steps)
        await provider.aclose()
    assert (type(error), error.code) == (SubmitUnknownError, "connection_lost")


async def test_a_cancelled_request_is_aborted_at_the_provider(provider, fake, make_request, steps):
    fake.fail("hang")
    job = asyncio.create_task(provider.vectorize(make_request(), steps))
    async with asyncio.timeout(10), fake.changed:
        await fake.changed.wait_for(lambda: fake.in_progress == 1)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    async with asyncio.timeout(10), fake.changed:
        await fake.changed.wait_for(lambda: fake.cut_off == 1 and fake.in_progress == 0)
    assert await provider.vectorize(make_request(), steps)


async def test_status_is_stored_before_anything_is_sent(provider, fake, make_request):
    class Refusing:
        async def submitting(self, status):
            assert fake.stats()["requests"] == 0
            raise RuntimeError("not stored")

    with pytest.raises(RuntimeError, match="not stored"):
        await provider.vectorize(make_request(), Refusing())
    assert fake.stats()["requests"] == 0


async def test_given_client_is_used_and_left_open(fake, make_request, steps):
    async with httpx.AsyncClient() as client:
        provider = provider_of(fake, client=client)
        assert await provider.vectorize(make_request(), steps)
        await provider.aclose()
        assert not client.is_closed


async def test_missing_and_unreadable_pages_are_not_sent(provider, fake, make_request, steps, tmp_path):
    error = await error_from(provider, make_request(tmp_path / "gone.png"), steps)
    assert (type(error), error.code) == (PermanentError, "page_missing")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"GIF89a")
    error = await error_from(provider, make_request(broken), steps)
    assert (type(error), error.code) == (PermanentError, "page_unreadable")
    assert fake.stats()["requests"] == 0
    assert steps.seen == []


async def test_page_beyond_the_pixel_limit_is_scaled_down(fake, make_request, steps, page, monkeypatch):
    provider = provider_of(fake)
    monkeypatch.setattr(upload, "MAX_PIXELS", 100_000)
    await provider.vectorize(make_request(), steps)
    await provider.aclose()
    with Image.open(io.BytesIO(fake.requests[0].image)) as sent, Image.open(page) as original:
        assert 80_000 < sent.width * sent.height <= 100_000
        assert sent.width / sent.height == pytest.approx(original.width / original.height, rel=0.02)


async def test_page_beyond_the_byte_limit_is_scaled_down(fake, make_request, steps, tmp_path, monkeypatch):
    provider = provider_of(fake)
    monkeypatch.setattr(upload, "MAX_BYTES", 50_000)
    noise = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (400, 400), dtype=np.uint8)).save(noise)
    await provider.vectorize(make_request(noise), steps)
    await provider.aclose()
    assert len(fake.requests[0].image) <= 50_000


async def test_a_page_in_another_format_is_sent_as_png(provider, fake, make_request, steps, tmp_path):
    jpeg = tmp_path / "page.jpg"
    Image.new("RGB", (60, 40), "white").save(jpeg)
    await provider.vectorize(make_request(jpeg), steps)
    assert fake.requests[0].image.startswith(b"\x89PNG")


async def test_fake_refuses_what_the_api_refuses(fake):
    headers = {"Authorization": aiohttp.encode_basic_auth(fake.api_key, fake.api_secret)}
    async with aiohttp.ClientSession(headers=headers) as session:
        for fields, said in [
            ({"output.group_by": "colour"}, "Invalid value 'colour'"),
            ({"output.shape_stacking": "none"}, "must be one of: cutouts, stacked"),
            ({"output.colour": "x"}, "Unknown parameter"),
        ]:
            form = aiohttp.FormData(fields)
            form.add_field("image", b"\x89PNG\r\n\x1a\n", filename="image.png", content_type="image/png")
            async with session.post(f"{fake.base_url}/vectorize", data=form) as response:
                assert response.status == 400
                assert said in (await response.json())["error"]["message"]


async def test_fake_runs_as_a_program_and_is_controlled_over_http():
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pastelka_common.testing.fake_vectorizer", stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(20):
            base_url = json.loads(await program.stdout.readline())["base_url"]
            root = base_url.removesuffix("/api/v1")
            async with aiohttp.ClientSession() as session:
                async with session.post(f"{root}/_control", json={"fail": ["429", 500, "drop"]}) as response:
                    assert await response.json() == {"failures_left": 3}
                async with session.get(f"{root}/_stats") as response:
                    assert (await response.json())["requests"] == 0
    finally:
        program.terminate()
        await program.wait()


async def test_fake_is_a_plain_aiohttp_application():
    assert isinstance(FakeVectorizer().app(), web.Application)
