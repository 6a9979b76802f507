"""The fake Vectorizer.ai keeps its answers back while a test holds them."""

import asyncio
import base64

import aiohttp

from pastelka_common.testing.fake_page import drawn_page
from pastelka_common.testing.fake_vectorizer import FakeVectorizer

DEADLINE = 10


async def vectorize(fake: FakeVectorizer) -> int:
    form = aiohttp.FormData()
    form.add_field("image", drawn_page(), filename="page.png", content_type="image/png")
    secret = base64.b64encode(f"{fake.api_key}:{fake.api_secret}".encode()).decode()
    headers = {"Authorization": f"Basic {secret}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
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
