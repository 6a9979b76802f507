"""The gateway asks where a file in the bucket is: for those only who may see files, never from outside."""

from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import pytest_asyncio
from PIL import Image

from pastelka_common.servers import BucketServer, free_port
from pastelka_orders.settings import OrdersSettings

ADDRESS = "http://localhost/files/address"


def _photo() -> bytes:
    content = BytesIO()
    Image.new("RGB", (96, 72), "teal").save(content, "JPEG")
    return content.getvalue()


@pytest_asyncio.fixture(loop_scope="session")
async def shop(serving: Any, in_bucket: OrdersSettings) -> AsyncIterator[Any]:
    async with serving(in_bucket) as found:
        yield found


async def _address(api: Any, path: str) -> Any:
    return await api.http.get(ADDRESS, headers={"X-File": path.encode()})


async def test_a_file_url_is_signed_for_fifteen_minutes(shop: Any, bucket_server: BucketServer):
    await shop.app.state.services.storage.write("42/1/žluť 1.jpg", b"photo")
    answer = await _address(shop, "/static/images/42/1/žluť 1.jpg")
    assert answer.status_code == 204
    address = answer.headers["X-File-Address"]
    assert urlsplit(address).path.endswith("/42/1/%C5%BElu%C5%A5%201.jpg")
    assert parse_qs(urlsplit(address).query)["X-Amz-Expires"] == ["900"]
    assert answer.headers["Cache-Control"] == "max-age=300, stale-if-error=300"
    async with aiohttp.ClientSession() as http, http.get(f"{bucket_server.url}{address}") as got:
        assert await got.read() == b"photo"


@pytest.mark.parametrize("path", ["", "/static/images/", "/static/images/../x", "/x.jpg", "42/1/image_1.jpg"])
async def test_a_path_that_is_not_a_file_is_not_signed(shop: Any, path: str):
    answer = await _address(shop, path)
    assert answer.status_code == 404
    assert "X-File-Address" not in answer.headers


async def test_an_unauthenticated_request_gets_no_signed_url(serving: Any, in_bucket: OrdersSettings):
    async with serving(in_bucket.model_copy(update={"auth_mode": "password"})) as locked:
        answer = await _address(locked, "/static/images/42/1/image_1.jpg")
    assert answer.status_code == 401
    assert "X-File-Address" not in answer.headers


async def test_folder_storage_has_no_signed_urls(api: Any):
    assert (await _address(api, "/static/images/42/1/image_1.jpg")).status_code == 404


async def test_the_signing_endpoint_is_not_below_the_public_api_prefix(api: Any):
    assert (await api.http.get("/files/address")).status_code == 404
    assert "/files/address" not in (await api.http.get("/openapi.json")).text


async def test_an_order_is_stored_exported_and_deleted_in_a_bucket(shop: Any):
    order = await shop.order(2)
    number = order["order_number"]
    storage = shop.app.state.services.storage
    stored = sorted([path async for path in storage.files("1")])
    assert [path.rpartition("/")[2] for path in stored] == [
        "image_1.jpg",
        "image_2.jpg",
        "thumb_image_1.jpg.webp",
        "thumb_image_2.jpg.webp",
    ]
    zipped = await shop.http.get(f"/orders/{number}/download", params={"what": "photos"})
    assert zipped.status_code == 200
    assert len(zipped.content) == int(zipped.headers["Content-Length"])
    assert await storage.read(stored[0]) in zipped.content
    assert (await shop.http.delete(f"/orders/{number}")).status_code == 204
    assert not await storage.prefix_exists("1")
    assert shop.files() == []


async def test_an_upload_to_an_unavailable_bucket_is_503_and_leaves_no_order(
    serving: Any, in_bucket: OrdersSettings
):
    away = in_bucket.model_copy(update={"aws_endpoint_url": f"http://127.0.0.1:{free_port()}"})
    async with serving(away) as api:
        problem = await api.upload([("a.jpg", _photo())], status=503)
        assert problem["code"] == "storage_unavailable"
        assert "127.0.0.1" not in str(problem)
        assert "M1000" not in (await api.http.get("/orders")).text
