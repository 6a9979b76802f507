"""The fake Vectorizer.ai: answers that a test holds back, requests that come in pieces."""

import asyncio
import base64
from collections.abc import AsyncIterator
from itertools import pairwise

import aiohttp
import pytest

from pastelka_common.testing.fake_page import drawn_page
from pastelka_common.testing.fake_vectorizer import FakeVectorizer

DEADLINE = 10


def authorization(fake: FakeVectorizer) -> dict[str, str]:
    secret = base64.b64encode(f"{fake.api_key}:{fake.api_secret}".encode()).decode()
    return {"Authorization": f"Basic {secret}"}


async def vectorize(fake: FakeVectorizer) -> int:
    form = aiohttp.FormData()
    form.add_field("image", drawn_page(), filename="page.png", content_type="image/png")
    async with (
        aiohttp.ClientSession(headers=authorization(fake)) as http,
        http.post(f"{fake.base_url}/vectorize", data=form) as response,
    ):
        return response.status


async def test_responses_are_held_until_released() -> None:
    async with FakeVectorizer() as fake:
        fake.hold()
        answer = asyncio.create_task(vectorize(fake))
        async with asyncio.timeout(DEADLINE), fake.changed:
            await fake.changed.wait_for(lambda: fake.in_progress == 1)
        assert fake.stats()["requests"] <= 1
        assert not answer.done()
        fake.release()
        assert await asyncio.wait_for(answer, DEADLINE) == 200
        assert await asyncio.wait_for(vectorize(fake), DEADLINE) == 200


@pytest.mark.parametrize("first", [8192, 8300, 20_000])
async def test_a_request_whose_pieces_are_of_any_size_is_read(first: int) -> None:
    """A few bytes, and then more than one read takes, are what a busy machine makes of a body."""
    image = drawn_page() + bytes(60_000)
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="page.png"\r\n\r\n'
    body = head + image + b"\r\n--x--\r\n"

    async def pieces() -> AsyncIterator[bytes]:
        cuts = [0, len(head) + first, len(head) + first + 3, len(body)]
        for begin, end in pairwise(cuts):
            yield body[begin:end]
            await asyncio.sleep(0.05)  # the server has read this piece

    async with FakeVectorizer() as fake:
        headers = {**authorization(fake), "Content-Type": "multipart/form-data; boundary=x"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(f"{fake.base_url}/vectorize", data=pieces()) as response,
        ):
            assert response.status == 200, await response.text()
        assert fake.requests[-1].image == image
