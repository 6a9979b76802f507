"""Approving, lifting that, and sending back: what becomes of the choice, also with two callers at once."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

PUSHES = "SELECT count(*) FROM outbox WHERE subject LIKE 'events.order.%.selection_changed'"


async def made(api: Any, worker: Any, pages: int = 1) -> tuple[int, list[int]]:
    """An order with one photo that has so many completed pages; ids of the image and the pages."""
    order = await api.order()
    image_id = order["line_items"][0]["images"][0]["id"]
    ids = []
    for steps in range(1, pages + 1):
        version = await api.post(f"/images/{image_id}/generate-coloring", {"steps": steps})
        await worker.end("coloring", version["id"])
        ids.append(version["id"])
    return image_id, ids


async def test_an_approval_freezes_the_choice_until_it_is_lifted(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    image_id, (first, second) = await made(api, worker, 2)
    path = f"/images/{image_id}"
    await sql.execute("DELETE FROM outbox")
    approved = await api.post(f"{path}/approve", status=200)
    assert approved["approved_by"] == "open"
    assert approved["approved_at"]
    assert await sql.fetchval(PUSHES) == 1
    # Again, the same is answered, and not pushed.
    assert await api.post(f"{path}/approve", {"coloring_version_id": first}, status=200) == approved
    assert await sql.fetchval(PUSHES) == 1
    for refused in (
        await api.post(f"{path}/approve", {"coloring_version_id": second}, status=409),
        await api.post(f"{path}/select-coloring/{second}", status=409),
        await api.post(f"{path}/rework", {"reason": "Two noses"}, status=409),
    ):
        assert refused["code"] == "image_approved"
    third = await api.post(f"{path}/generate-coloring", {"steps": 9})
    await worker.end("coloring", third["id"])
    svg = await api.post(f"{path}/generate-svg")
    await worker.end("svg", svg["id"])
    await api.post(f"{path}/select-svg/{svg['id']}", status=200)
    shown = await api.get(f"/orders/M1000/images/{image_id}")
    assert shown["selected_version_ids"] == {"coloring": first, "svg": svg["id"]}
    assert shown["approved_at"] == approved["approved_at"]
    lifted = (await api.http.delete(f"{path}/approve")).json()
    assert "approved_at" not in lifted
    assert "approved_by" not in lifted
    await api.post(f"{path}/select-coloring/{second}", status=200)


async def test_another_version_is_approved_and_chosen_with_it(api: Any, worker: Any) -> None:
    image_id, (_, second) = await made(api, worker, 2)
    approved = await api.post(f"/images/{image_id}/approve", {"coloring_version_id": second}, status=200)
    assert approved["selected_version_ids"]["coloring"] == second


async def test_a_page_sent_back_for_rework_is_deselected_with_its_reason(api: Any, worker: Any) -> None:
    image_id, (first,) = await made(api, worker)
    path = f"/images/{image_id}"
    sent = await api.post(
        f"{path}/rework", {"reason": " Two\tnoses ", "coloring_version_id": first}, status=200
    )
    assert sent["rework_reason"] == "Two noses"
    assert sent["selected_version_ids"]["coloring"] is None
    assert sent["versions"]["coloring"][0]["url"]
    again = await api.post(f"{path}/rework", {"reason": "Two noses"}, status=409)
    assert again["code"] == "no_chosen_page"
    stale = await api.post(f"{path}/rework", {"reason": "x", "coloring_version_id": first}, status=409)
    assert stale["code"] == "choice_changed"
    # The next page is chosen by itself, with the reason beside until a person decides.
    second = await api.post(f"{path}/generate-coloring", {"steps": 9})
    await worker.end("coloring", second["id"])
    shown = await api.get(f"/orders/M1000/images/{image_id}")
    assert (shown["selected_version_ids"]["coloring"], shown["rework_reason"]) == (second["id"], "Two noses")
    assert "rework_reason" not in await api.post(f"{path}/approve", status=200)


async def test_selecting_a_page_clears_its_rework_reason(api: Any, worker: Any) -> None:
    image_id, (first,) = await made(api, worker)
    await api.post(f"/images/{image_id}/rework", {"reason": "x"}, status=200)
    await api.post(f"/images/{image_id}/select-coloring/{first}", status=200)
    shown = await api.get(f"/orders/M1000/images/{image_id}")
    assert "rework_reason" not in shown
    assert shown["selected_version_ids"]["coloring"] == first


async def test_of_two_concurrent_approvals_the_first_wins(api: Any, worker: Any) -> None:
    image_id, (first, second) = await made(api, worker, 2)

    async def approve(version_id: int) -> httpx.Response:
        found: httpx.Response = await api.http.post(
            f"/images/{image_id}/approve", json={"coloring_version_id": version_id}
        )
        return found

    answers = await asyncio.gather(*(approve(version) for version in (first, second) * 5))
    shown = await api.get(f"/orders/M1000/images/{image_id}")
    winner = shown["selected_version_ids"]["coloring"]
    expected = [200 if version == winner else 409 for version in (first, second) * 5]
    assert [answer.status_code for answer in answers] == expected


@pytest.mark.parametrize(
    ("sql_text", "code"),
    [
        ("UPDATE orders SET cancelled_at = now()", "order_cancelled"),
        ("UPDATE line_items SET quantity = 0", "line_item_removed"),
        ("UPDATE images SET selected_coloring_id = NULL", "no_chosen_page"),
        (
            "UPDATE coloring_versions SET status = 'error', error_code = 'file_missing'",
            "version_not_completed",
        ),
    ],
)
async def test_a_page_that_cannot_be_approved_is_a_conflict(
    api: Any, worker: Any, sql: asyncpg.Connection, sql_text: str, code: str
) -> None:
    image_id, _ = await made(api, worker)
    await sql.execute(sql_text)
    assert (await api.post(f"/images/{image_id}/approve", status=409))["code"] == code
    assert await sql.fetchval("SELECT approved_at FROM images") is None


async def test_approving_a_missing_image_or_version_is_404(api: Any, worker: Any) -> None:
    image_id, (version,) = await made(api, worker)
    other, _ = await made(api, worker)
    for path, body in (
        ("/images/99/approve", None),
        ("/images/99999999999/approve", None),
        (f"/images/{other}/approve", {"coloring_version_id": version}),
        ("/images/99/rework", {"reason": "x"}),
    ):
        assert (await api.post(path, body, status=404))["status"] == 404
    assert (await api.http.delete("/images/99/approve")).status_code == 404
    for wrong in ({}, {"reason": " \n "}, {"reason": "x" * 501}, {"reason": "x", "more": 1}):
        assert (await api.post(f"/images/{image_id}/rework", wrong, status=422))["status"] == 422


async def test_an_approval_records_the_name_of_the_operator(
    locked_api: Any, people: Any, worker: Any
) -> None:
    headers = await people.signed_in("operator", "Jana")
    locked_api.http.headers.update(headers)
    image_id, _ = await made(locked_api, worker)
    approved = await locked_api.post(f"/images/{image_id}/approve", status=200)
    assert approved["approved_by"] == "Jana"
    locked_api.http.headers.update(await people.signed_in("viewer"))
    refused = await locked_api.post(f"/images/{image_id}/approve", status=403)
    assert refused["code"] == "operator_required"
