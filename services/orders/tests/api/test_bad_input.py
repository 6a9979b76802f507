"""Bad input answers a problem document that says what is wrong, and leaves neither row nor file."""

from typing import Any

import asyncpg
import pytest
from PIL import Image

TOO_BIG = 2**40


@pytest.fixture(autouse=True)
async def nothing_is_left(api: Any, sql: asyncpg.Connection) -> Any:
    """After each test here the database and the storage are as empty as before."""
    yield
    for table in ("orders", "line_items", "images", "coloring_versions", "svg_versions", "outbox"):
        assert await sql.fetchval(f"SELECT count(*) FROM {table}") == 0, table  # noqa: S608
    assert api.files() == []


def jpeg() -> bytes:
    from io import BytesIO  # noqa: PLC0415

    buffer = BytesIO()
    Image.new("RGB", (120, 90), (200, 10, 10)).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.jpg", b"", "photo_empty"),
        ("page.jpg", b"<!doctype html><html><body>404</body></html>", "photo_not_an_image"),
        ("cut.jpg", jpeg()[:400], "photo_truncated"),
        ("../../etc/passwd", b"root:x:0:0", "photo_not_an_image"),
        ("large.jpg", b"\xff\xd8" + b"\0" * 3_000_000, "photo_too_large"),
    ],
)
async def test_a_file_that_is_no_photo_is_refused_by_name(
    api: Any, name: str, content: bytes, code: str
) -> None:
    shown = name.rsplit("/", maxsplit=1)[-1]
    problem = await api.upload([(name, content)], status=422)
    (error,) = problem["errors"]
    assert (error["field"], error["code"]) == ("photos[1]", code)
    assert error["message"].startswith(shown)


async def test_all_bad_files_are_named_at_once(api: Any) -> None:
    problem = await api.upload([("a.jpg", b""), ("b.jpg", b"text")], status=422)
    assert [error["field"] for error in problem["errors"]] == ["photos[1]", "photos[2]"]


async def test_an_order_needs_photos_and_not_too_many(api: Any) -> None:
    response = await api.http.post("/orders", files={"process": (None, "none")})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "photos"
    problem = await api.upload([(f"{n}.jpg", jpeg()) for n in range(21)], status=422)
    assert problem["code"] == "photos_too_many"


async def test_form_fields_are_checked(api: Any) -> None:
    problem = await api.upload([("a.jpg", jpeg())], status=422, process="everything")
    assert problem["errors"][0]["field"] == "process"
    problem = await api.upload([("a.jpg", jpeg())], status=422, customer_name="x" * 201)
    assert problem["errors"][0]["field"] == "customer_name"


@pytest.mark.parametrize(
    "body",
    [
        {"megapixels": 0.4},
        {"megapixels": 8.5},
        {"megapixels": -1e9},
        {"megapixels": "much"},
        {"steps": 0},
        {"steps": 21},
        {"steps": 2.5},
        {"steps": None},
        {"background": "loud"},
        {"line_weight": ""},
        {"frame": "no"},
        {"unknown": 1},
        [],
    ],
)
async def test_coloring_options_out_of_range(api: Any, body: Any) -> None:
    for path in ("/images/1/generate-coloring", "/orders/M1000/generate-coloring"):
        problem = await api.post(path, body, status=422)
        assert problem["errors"]


@pytest.mark.parametrize("body", [{"shape_stacking": "pile"}, {"group_by": ""}, {"group_by": 7}])
async def test_svg_options_out_of_range(api: Any, body: Any) -> None:
    for path in ("/images/1/generate-svg", "/orders/M1000/generate-svg"):
        await api.post(path, body, status=422)


async def test_numbers_that_are_not_json_are_rejected(api: Any) -> None:
    for text in ('{"megapixels": NaN}', '{"megapixels": 1e999}', "{", ""):
        response = await api.http.post(
            "/images/1/generate-coloring", content=text, headers={"Content-Type": "application/json"}
        )
        assert response.status_code in {404, 422}, text


@pytest.mark.parametrize("image_id", [1, 0, TOO_BIG])
async def test_unknown_ids_are_not_found(api: Any, image_id: int) -> None:
    await api.get(f"/orders/M1/images/{image_id}", status=404)
    for path in ("coloring-versions", "svg-versions"):
        await api.get(f"/images/{image_id}/{path}", status=404)
        await api.post(f"/{path}/{image_id}/retry", status=404)
        await api.post(f"/{path}/{image_id}/cancel", status=404)
    for path in ("generate-coloring", "generate-svg", "select-coloring/1", "select-svg/1"):
        await api.post(f"/images/{image_id}/{path}", status=404)


async def test_unknown_orders_are_not_found(api: Any) -> None:
    for path in ("/orders/nope", "/orders/nope/timeline", "/orders/%F0%9F%96%8D"):
        problem = await api.get(path, status=404)
        assert problem["code"] == "order_not_found"
    for path in ("generate-coloring", "generate-svg"):
        await api.post(f"/orders/nope/{path}", status=404)
    assert (await api.http.delete("/orders/nope")).status_code == 404


async def test_malformed_ids_are_rejected(api: Any) -> None:
    for path in ("/orders/M1/images/x", "/orders/M1/images/-1", "/images/1.5/svg-versions"):
        await api.get(path, status=422)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "cursor=nonsense",
        "cursor=WyJ4IiwgMV0=",
        "cursor=W10=",
        "cursor=%00",
    ],
)
async def test_invalid_limits_and_cursors_are_rejected(api: Any, query: str) -> None:
    await api.get(f"/orders?{query}", status=422)


async def test_a_nul_byte_causes_no_server_error(api: Any) -> None:
    assert (await api.http.get("/orders", params={"q": "a\0b"})).status_code == 200
    assert (await api.http.get("/orders/a%00b")).status_code in {404, 422}


async def test_routes_and_methods_that_do_not_exist(api: Any) -> None:
    await api.get("/nowhere", status=404)
    assert (await api.http.put("/orders")).status_code == 405
