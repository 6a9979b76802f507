"""Everything in an order at once: approved, retried, downloaded; and what that would cost."""

from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import asyncpg
import pytest

from pastelka_orders.domain.prices import Prices
from pastelka_orders.handlers.versions import CANCELLED
from pastelka_orders.settings import OrdersSettings
from services.orders.tests.api_client import serving

STAGE = "SELECT stage FROM orders WHERE order_number = $1"


async def generated(api: Any, worker: Any, photos: int, failed: int = 0) -> list[int]:
    """An order with a page for each photo, of which the last ``failed`` failed; ids of the versions."""
    order = await api.order(photos)
    versions = await api.post(f"/orders/{order['order_number']}/generate-coloring")
    for place, version in enumerate(versions):
        status = "error" if place >= photos - failed else "completed"
        await worker.end("coloring", version["id"], status)
    return [version["id"] for version in versions]


async def estimated(api: Any, *numbers: str, **wanted: Any) -> tuple[int, int]:
    """Pages and SVGs that an action would start."""
    answer = await api.post("/orders/estimate", {"order_numbers": numbers, **wanted}, status=200)
    return answer["pages"], answer["svgs"]


async def test_all_chosen_pages_of_an_order_are_approved(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await generated(api, worker, 3)
    first = (await api.get("/orders/M1000"))["line_items"][0]["images"][0]["id"]
    await api.post(f"/images/{first}/approve", status=200)
    await sql.execute("DELETE FROM outbox")
    assert await api.post("/orders/M1000/approve", status=200) == {"approved": 2}
    assert await sql.fetchval(STAGE, "M1000") == "approved"
    pushes = "SELECT count(*) FROM outbox WHERE subject LIKE 'events.order.%.selection_changed'"
    assert await sql.fetchval(pushes) == 2
    shown = await api.get("/orders/M1000")
    assert {image["approved_by"] for image in shown["line_items"][0]["images"]} == {"open"}
    assert await api.post("/orders/M1000/approve", status=200) == {"approved": 0}


async def test_a_page_that_is_missing_or_failed_is_not_approved(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await generated(api, worker, 3, failed=1)
    assert await api.post("/orders/M1000/approve", status=200) == {"approved": 2}
    assert await sql.fetchval(STAGE, "M1000") == "attention"
    await sql.execute("UPDATE images SET approved_at = NULL, approved_by = NULL WHERE id = 1")
    await sql.execute(
        "UPDATE coloring_versions SET status = 'error', error_code = 'file_missing', error_message = 'x'"
        " WHERE image_id = 1"
    )
    assert await api.post("/orders/M1000/approve", status=200) == {"approved": 0}


async def test_an_estimate_is_what_the_request_then_starts(api: Any, worker: Any) -> None:
    await generated(api, worker, 3, failed=1)
    await api.order(2)
    numbers = ("M1000", "M1001", "unknown")
    for action, path, other in (
        ("coloring", "generate-coloring", {"steps": 9}),
        ("svg", "generate-svg", {"shape_stacking": "cutouts"}),
    ):
        for options in ({}, other):
            given = {f"{action}_options": options} if options else {}
            pages, svgs = await estimated(api, *numbers, action=action, **given)
            started = 0
            for number in numbers[:2]:
                response = await api.http.post(f"/orders/{number}/{path}", json=options)
                made = response.json() if response.status_code == 202 else []
                started += sum(version["status"] == "pending" for version in made)
            assert (pages, svgs) == ((started, 0) if action == "coloring" else (0, started))
            assert await estimated(api, *numbers, action=action, **given) == (0, 0)


async def test_everything_that_failed_is_retried_as_estimated(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    ids = await generated(api, worker, 4, failed=2)
    svgs = await api.post("/orders/M1000/generate-svg")
    await worker.end("svg", svgs[0]["id"], "error")
    await worker.end("svg", svgs[1]["id"])
    # A page that a person cancelled has not failed.
    cancelled = "UPDATE coloring_versions SET error_code = $1 WHERE id = $2"
    await sql.execute(cancelled, CANCELLED.code, ids[3])
    assert await estimated(api, "M1000", action="retry") == (1, 1)
    assert await api.post("/orders/M1000/retry-failed") == {"pages": 1, "svgs": 1}
    assert await api.post("/orders/M1000/retry-failed") == {"pages": 0, "svgs": 0}
    assert await estimated(api, "M1000", action="retry") == (0, 0)
    runs = (
        "SELECT id FROM coloring_versions WHERE run = 2 UNION ALL SELECT id FROM svg_versions WHERE run = 2"
    )
    assert [row["id"] for row in await sql.fetch(runs)] == [ids[2], svgs[0]["id"]]


async def test_a_failed_page_beside_a_chosen_one_is_not_retried(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await generated(api, worker, 1)
    second = await api.post("/images/1/generate-coloring", {"steps": 9})
    await worker.end("coloring", second["id"], "error")
    assert await api.post("/orders/M1000/retry-failed") == {"pages": 0, "svgs": 0}
    # The file of the chosen one was lost: that one is made again.
    await sql.execute(
        "UPDATE coloring_versions SET status = 'error', error_code = 'file_missing', error_message = 'x'"
        " WHERE id <> $1",
        second["id"],
    )
    assert await api.post("/orders/M1000/retry-failed") == {"pages": 1, "svgs": 0}
    assert await sql.fetchval(
        "SELECT count(*) FROM coloring_versions WHERE run = 2 AND id <> $1", second["id"]
    )


@pytest.mark.parametrize("path", ["approve", "retry-failed"])
async def test_unknown_and_cancelled_orders_are_refused(api: Any, sql: asyncpg.Connection, path: str) -> None:
    await api.order()
    await sql.execute("UPDATE orders SET cancelled_at = now()")
    assert (await api.post(f"/orders/M1/{path}", status=404))["code"] == "order_not_found"
    assert (await api.post(f"/orders/M1000/{path}", status=409))["code"] == "order_cancelled"
    assert await estimated(api, "M1", "M1000", action="coloring") == (0, 0)


async def test_several_orders_come_as_one_zip_or_the_empty_ones_are_named(api: Any) -> None:
    await api.order(2)
    await api.order(1)
    wanted = {"order_numbers": ["M1001", "M1000"], "what": "photos"}
    response = await api.http.post("/orders/download", json=wanted)
    assert response.status_code == 200, response.text
    assert response.headers["content-disposition"] == 'attachment; filename="orders-photos.zip"'
    with ZipFile(BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["M1001-1.jpg", "M1000-1.jpg", "M1000-2.jpg"]
    refused = await api.post("/orders/download", {"order_numbers": ["M1001", "M1000"]}, status=409)
    assert (refused["code"], refused["order_numbers"]) == ("nothing_chosen", ["M1001", "M1000"])
    unknown = await api.post(
        "/orders/download", {"order_numbers": ["M1001", "M7"], "what": "photos"}, status=404
    )
    assert unknown["code"] == "order_not_found"


@pytest.mark.parametrize(
    ("pages", "svgs", "cost"),
    [(3, 0, "0.30"), (0, 2, None), (3, 2, None), (0, 0, "0.00")],
)
def test_a_cost_needs_the_prices_of_what_is_counted(pages: int, svgs: int, cost: str | None) -> None:
    prices = Prices(Decimal("0.1"), None)
    found = prices.cost(pages, svgs)
    assert (None if found is None else str(found)) == cost


async def test_prices_are_decimal_texts_of_the_settings(settings: OrdersSettings, tmp_path: Path) -> None:
    priced = settings.model_copy(
        update={"coloring_price": Decimal("0.10"), "svg_price": Decimal("0.205"), "currency": "CZK"}
    )
    async with serving(priced) as api:
        presets = await api.get("/presets")
        assert (presets["svg_cost"], presets["currency"]) == ("0.205", "CZK")
        assert {preset["cost"] for preset in presets["items"]} == {"0.10"}
        await api.order(3)
        body = {"order_numbers": ["M1000"], "action": "coloring"}
        answer = await api.post("/orders/estimate", body, status=200)
        assert answer == {"pages": 3, "svgs": 0, "cost": "0.30", "currency": "CZK"}


@pytest.mark.parametrize("path", ["/orders/estimate", "/orders/download", "/books"])
async def test_an_order_given_twice_is_refused(api: Any, path: str) -> None:
    wanted: dict[str, Any] = {"order_numbers": ["M1", "M2", "M1"]}
    if path == "/orders/estimate":
        wanted["action"] = "generate-coloring"
    refusal = await api.post(path, wanted, status=422)
    assert "the order M1 is given twice" in str(refusal)
