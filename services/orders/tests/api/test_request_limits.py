"""Every bound of the API: one below, at it, one beyond; and what cannot be a request at all."""

import re
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from pastelka_orders.api import field_limits
from pastelka_orders.errors import ExportsBusyError
from pastelka_orders.exports import ExportSlots
from pastelka_orders.settings import OrdersSettings

JSON = {"Content-Type": "application/json"}
GENERATE = "/images/1/generate-coloring"


@pytest.fixture
def settings(settings: OrdersSettings) -> OrdersSettings:
    """Small enough to be reached."""
    return settings.model_copy(update={"json_max_bytes": 2048, "upload_max_bytes": 100_000})


def padded(length: int) -> bytes:
    """A JSON body of so many bytes."""
    return b"{" + b" " * (length - 2) + b"}"


@pytest.mark.parametrize(("length", "status"), [(2047, 404), (2048, 404), (2049, 413)])
async def test_json_bodies_are_limited(api: Any, length: int, status: int) -> None:
    response = await api.http.post(GENERATE, content=padded(length), headers=JSON)
    assert response.status_code == status
    if status == 413:
        problem = response.json()
        assert problem["code"] == "content_too_large"
        assert problem["detail"] == "Request body too large: 2049 bytes, limit 2048."


@pytest.mark.parametrize(("length", "status"), [(2048, 404), (2049, 413)])
async def test_chunked_bodies_are_limited(api: Any, length: int, status: int) -> None:
    async def chunks() -> Any:
        for start in range(0, length, 500):
            yield padded(length)[start : start + 500]

    headers = {**JSON, "Transfer-Encoding": "chunked"}
    response = await api.http.post(GENERATE, content=chunks(), headers=headers)
    assert response.status_code == status
    if status == 413:
        assert response.json()["detail"] == "Request body too large: at least 2049 bytes, limit 2048."


async def test_uploads_have_a_higher_body_limit(api: Any) -> None:
    problem = await api.upload([("a.jpg", b"\xff" * 50_000)], status=422)
    assert problem["code"] == "photos_refused"
    problem = await api.upload([("a.jpg", b"\xff" * 100_001)], status=413)
    assert re.fullmatch(r"Request body too large: 100\d{3} bytes, limit 100000\.", problem["detail"])


async def test_the_body_limit_also_applies_to_routes_without_a_body(api: Any) -> None:
    response = await api.http.request("DELETE", "/orders/M1", content=b"x" * 2049)
    assert response.status_code == 413


@pytest.mark.parametrize(("more", "status"), [(-1, 201), (0, 201), (1, 422)])
async def test_the_length_of_order_texts_is_limited(api: Any, more: int, status: int) -> None:
    for field, most in (
        ("customer_name", field_limits.CUSTOMER_NAME_LENGTH),
        ("note", field_limits.NOTE_LENGTH),
    ):
        files = [("photos", ("a.jpg", jpeg(), "image/jpeg"))]
        response = await api.http.post("/orders", files=files, data={field: "ž" * (most + more)})
        assert response.status_code == status
        if status == 422:
            (error,) = response.json()["errors"]
            assert (error["field"], str(most) in error["message"]) == (field, True)


def jpeg() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (120, 90), (200, 10, 10)).save(buffer, "JPEG")
    return buffer.getvalue()


async def test_form_fields_are_limited_and_validated(api: Any) -> None:
    photo = ("photos", ("a.jpg", jpeg(), "image/jpeg"))
    many = [(f"field{n}", (None, "x")) for n in range(field_limits.FORM_FIELDS + 1)]
    response = await api.http.post("/orders", files=[photo, *many])
    assert (response.status_code, str(field_limits.FORM_FIELDS) in response.json()["detail"]) == (400, True)
    large = ("note", (None, "x" * (field_limits.FORM_FIELD_BYTES + 1)))
    response = await api.http.post("/orders", files=[photo, large])
    assert (response.status_code, "16KB" in response.json()["detail"]) == (400, True)
    for wrong, code in (
        ([("note", (None, "a")), ("note", (None, "b"))], "given_twice"),
        ([("notes", (None, "a"))], "extra_forbidden"),
        ([("process", (None, ""))], "literal_error"),
        ([("quantity", (None, ""))], "int_parsing"),
        ([("quantity", (None, "0"))], "greater_than_equal"),
        ([("title", (None, "x" * 201))], "string_too_long"),
    ):
        response = await api.http.post("/orders", files=[photo, *wrong])
        assert (response.status_code, response.json()["errors"][0]["code"]) == (422, code)


async def test_an_upload_with_too_many_photos_is_rejected(api: Any) -> None:
    problem = await api.upload([(f"{n}.jpg", b"x") for n in range(21)], status=422)
    assert (problem["code"], "20" in problem["detail"]) == ("photos_too_many", True)
    problem = await api.upload([(f"{n}.jpg", b"x") for n in range(20)], status=422)
    assert problem["code"] == "photos_refused"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=1", 200),
        ("limit=200", 200),
        ("limit=0", 422),
        ("limit=201", 422),
        (f"q={'x' * 100}", 200),
        (f"q={'x' * 101}", 422),
        (f"q={'㌖' * 100}", 200),
        (f"q={'ﷺ' * 100}", 200),
        (f"cursor={'x' * 201}", 422),
        # ["0001-01-01T00:00:00+14:00", 1]: in UTC a year that there is not
        ("cursor=WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwgMV0=", 422),
        ("limit=1&limit=2", 422),
        ("q=%ff", 422),
        ("q=%00", 200),
    ],
)
async def test_query_parameters_are_validated(api: Any, query: str, status: int) -> None:
    response = await api.http.get(f"/orders?{query}")
    assert response.status_code == status, response.text
    if status == 422:
        assert response.json()["detail"]


@pytest.mark.parametrize("number", ["ž" * 100, "..", "%2e%2e", "a%2Fb", "🖍", "'; DROP TABLE orders; --"])
async def test_unusual_order_numbers_cause_no_server_error(api: Any, number: str) -> None:
    assert (await api.http.get(f"/orders/{number}")).status_code in {404, 405}


@pytest.mark.parametrize("number", ["x" * 101, "a%00b", "%ff%fe"])
async def test_invalid_order_numbers_are_rejected(api: Any, number: str) -> None:
    response = await api.http.get(f"/orders/{number}/timeline")
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("number", [2**31 - 1, 2**31, 2**63, 2**64, "9" * 5000])
async def test_ids_beyond_the_column_range_are_404(api: Any, number: int | str) -> None:
    for path in (f"/images/{number}/svg-versions", f"/orders/M1/images/{number}"):
        assert (await api.http.get(path)).status_code == 404
    assert (await api.http.delete(f"/dead-letters/{max(int(str(number)[:30]), 2**53)}")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"NaN",
        b'{"megapixels": Infinity}',
        b'{"\\ud800": 1}',
        b"\xff\xfe",
        b"[" * 100,
        b"1" * 2000,
        b"null, null",
        b"[]",
        b'"text"',
        b"7",
    ],
)
async def test_a_body_that_is_not_a_json_object_is_rejected(api: Any, body: bytes) -> None:
    response = await api.http.post(GENERATE, content=body, headers=JSON)
    assert response.status_code == 422, response.text
    assert response.json()["errors"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 404),
        ("application/json; charset=utf-8", 404),
        ("application/vnd.api+json", 404),
        ("application/json; charset=utf-16", 415),
        ("text/plain", 415),
        ("multipart/form-data; boundary=x", 415),
        ("", 415),
    ],
)
async def test_json_routes_accept_json_in_utf8_only(api: Any, content_type: str, status: int) -> None:
    response = await api.http.post(GENERATE, content=b"{}", headers={"Content-Type": content_type})
    assert response.status_code == status
    if status == 415:
        assert "application/json" in response.json()["detail"] or "UTF-8" in response.json()["detail"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=x", 400),
        ("multipart/form-data; boundary=x; charset=utf-7", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/json", 415),
    ],
)
async def test_uploads_accept_multipart_bodies_only(api: Any, content_type: str, status: int) -> None:
    response = await api.http.post("/orders", content=b"no parts", headers={"Content-Type": content_type})
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")


async def test_a_405_response_lists_the_allowed_methods(api: Any) -> None:
    response = await api.http.put("/orders/M1")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, PATCH, DELETE, HEAD")
    response = await api.http.put("/orders/fetch-from-shopify")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


async def test_head_is_get_without_content(api: Any) -> None:
    got, head = await api.http.get("/orders"), await api.http.head("/orders")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == got.headers["etag"]
    assert (await api.http.head("/orders/nope")).status_code == 404
    known = await api.http.get("/orders", headers={"If-None-Match": f'"x", W/{got.headers["etag"]}'})
    assert (known.status_code, known.content) == (304, b"")


async def test_a_trailing_slash_is_not_redirected(api: Any) -> None:
    assert (await api.http.get("/orders/")).status_code == 404


def test_exports_beyond_the_slots_are_rejected_at_once() -> None:
    slots = ExportSlots(2)
    with (
        slots.slot(),
        slots.slot(),
        pytest.raises(ExportsBusyError, match="All 2 export slots"),
        slots.slot(),
    ):
        pass
    with slots.slot():
        pass


async def test_a_busy_process_sends_retry_after(api: Any) -> None:
    await api.order(1)
    slots = api.app.state.services.exports
    for _ in range(5):  # what was sent gives its slot back
        response = await api.http.get("/orders/M1000/download?what=photos")
        assert response.status_code == 200
    with slots.slot(), slots.slot(), slots.slot(), slots.slot():
        response = await api.http.get("/orders/M1000/print")
        assert (response.status_code, response.headers["retry-after"]) == (429, "5")
        assert response.json()["code"] == "exports_busy"
    assert (await api.http.get("/orders/M1000/print")).status_code == 409


@pytest.mark.parametrize(("parameters", "status"), [(50, 404), (51, 400), (4000, 400)])
async def test_the_number_of_query_parameters_is_limited(api: Any, parameters: int, status: int) -> None:
    query = "&".join(f"p{number}" for number in range(parameters))
    response = await api.http.get(f"/nothing?{query}")
    assert response.status_code == status
    if status == 400:
        problem = response.json()
        assert problem["code"] == "too_many_parameters"
        assert problem["detail"] == f"Too many query parameters: {parameters}, limit 50."


async def test_cookies_with_too_many_backslashes_are_rejected(api: Any) -> None:
    """Every pair of backslash and character costs a pass over the rest of the value."""
    response = await api.http.get("/session", headers={"Cookie": f'a="{chr(92)}x' * 201 + '"'})
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")
    assert "backslashes" in response.json()["detail"]
    response = await api.http.get("/session", headers={"Cookie": f'a="{chr(92)}x' * 200 + '"'})
    assert response.status_code == 200


async def test_the_length_of_the_content_type_is_limited(api: Any) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x" + ';"' * 500}
    response = await api.http.post("/orders", content=b"x", headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")
