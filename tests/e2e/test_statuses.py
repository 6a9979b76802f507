"""From the click to the browser: every status in order, with the exact events of the specification."""

import asyncio
from typing import Any

import aiohttp
import pytest

from pastelka_common.storage import thumbnail_path
from pastelka_common.testing.fake_runpod import JobPlan
from pastelka_common.testing.waiting import until

COLORING = [
    "queued",
    "processing",
    "runpod_submitting",
    "runpod_submitted",
    "runpod_queued",
    "runpod_processing",
    "completed",
]
SVG = ["queued", "processing", "vectorizer_processing", "completed"]


def version_of(image: Any, kind: str, version_id: int) -> Any:
    return next(v for v in image["versions"][kind] if v["id"] == version_id)


async def test_one_coloring_shows_every_status_in_order(system: Any) -> None:
    order = await system.order(1)
    number = order["order_number"]
    image_id = order["line_items"][0]["images"][0]["id"]
    path = f"/orders/{number}/images/{image_id}"
    seen_at_events: list[str] = []
    system.runpod.plan(JobPlan(states=["IN_QUEUE"]))
    next_state = {"runpod_queued": "IN_PROGRESS", "runpod_processing": "COMPLETED"}
    async with (
        system.stack.subscriber("orders") as of_list,
        system.stack.subscriber(f"orders/{number}") as of_order,
    ):
        update = {"type": "order_update", "order_number": number}
        version = await system.post(f"/images/{image_id}/generate-coloring")
        for count, status_of_event in enumerate(COLORING, 1):
            await of_order.until(lambda heard, n=count: len(heard) >= n)
            seen_at_events.append(version_of(await system.get(path), "coloring", version["id"])["status"])
            if status_of_event in next_state:
                system.runpod.advance(next_state[status_of_event])
        await of_list.until(lambda heard: len(heard) >= len(COLORING) and heard[-1].payload == update)
    status = {
        "type": "image_status",
        "order_number": number,
        "image_id": image_id,
        "status_type": "coloring",
        "version_id": version["id"],
    }
    expected = [update, *({**status, "status": s} for s in COLORING[1:-1]), update]
    assert of_order.payloads == expected
    # The list also receives the update about the new order.
    assert [payload for payload in of_list.payloads if payload != {"type": "list_update"}] == expected
    assert {heard.event for heard in (*of_order.updates, *of_list.updates)} == {"message"}
    # At each event the API already shows that status or a later one.
    for at_event, shown in zip(COLORING, seen_at_events, strict=True):
        assert COLORING.index(shown) >= COLORING.index(at_event)
    # Statuses that last until the provider goes on are observed exactly.
    assert seen_at_events[4:] == COLORING[4:]
    entries = (await system.get(f"/orders/{number}/timeline"))["entries"]
    assert [entry["status"] for entry in entries] == ["pending", *COLORING]


async def photo_page_and_svg(system: Any) -> tuple[str, list[Any]]:
    """Create an order and wait for its page and SVG; returns its number and the pushed payloads."""
    # Subscribe before the order exists, to miss no update.
    async with system.stack.subscriber("orders") as subscriber:
        number = (await system.order(1, process="svg"))["order_number"]

        def of_order() -> list[Any]:
            return [payload for payload in subscriber.payloads if payload.get("order_number") == number]

        await subscriber.until(
            lambda _: sum(payload["type"] == "order_update" for payload in of_order()) == 4, timeout=60
        )
        return number, of_order()


async def test_one_svg_shows_every_status_in_order(system: Any) -> None:
    number, payloads = await photo_page_and_svg(system)
    svg = [payload for payload in payloads if payload.get("status_type") == "svg"]
    assert [payload["status"] for payload in svg] == SVG[1:-1]
    assert set(svg[0]) == {"type", "order_number", "image_id", "status_type", "version_id", "status"}
    entries = (await system.get(f"/orders/{number}/timeline"))["entries"]
    assert [e["status"] for e in entries if e["status_type"] == "svg"] == ["pending", *SVG]


async def test_new_and_deleted_orders_are_pushed_to_the_list_only(system: Any) -> None:
    async with system.stack.subscriber("orders") as of_list:
        order = await system.order(1)
        await of_list.until(lambda heard: len(heard) >= 1)
        assert of_list.payloads == [{"type": "list_update"}]
        async with system.stack.subscriber(f"orders/{order['order_number']}") as of_order:
            async with system.http.delete(
                f"{system.stack.api_url}/orders/{order['order_number']}"
            ) as response:
                assert response.status == 204
            await of_list.until(lambda heard: len(heard) >= 2)
            assert of_list.payloads[1] == {"type": "list_update"}
            assert of_order.payloads == []


async def test_subscribing_without_a_token_is_rejected(system: Any) -> None:
    async with system.http.get(f"{system.stack.hub.url}?topic=orders") as response:
        assert response.status == 401


async def test_files_are_served_as_immutable_for_a_day(system: Any) -> None:
    number, _ = await photo_page_and_svg(system)
    image = (await system.get(f"/orders/{number}"))["line_items"][0]["images"][0]
    files = {
        image["url"]: "image/jpeg",
        image["versions"]["coloring"][0]["url"]: "image/png",
        image["versions"]["svg"][0]["url"]: "image/svg+xml",
    }
    # Each has a thumbnail beside it (without one nginx would serve the file itself).
    thumbnails = [thumbnail_path(url) for url in files]
    async with asyncio.timeout(20):  # made after the file was announced
        while not all(is_stored(system, url) for url in thumbnails):  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.05)
    files |= dict.fromkeys(thumbnails, "image/webp")
    for url, media_type in files.items():
        async with system.http.get(url) as response:
            assert response.status == 200, url
            assert response.content_type == media_type
            cache = ", ".join(response.headers.getall("Cache-Control"))
            assert "private" in cache
            assert "immutable" in cache
            assert "max-age=86400" in cache
            assert await response.read()


async def test_the_system_page_lists_every_service_and_queue(system: Any) -> None:
    await photo_page_and_svg(system)

    async def healthy() -> Any:
        page = await system.get("/system")
        return page if all(service["healthy"] for service in page["services"]) else None

    page = await until(healthy, 30)
    services = {service["name"]: service for service in page["services"]}
    assert set(services) == {"orders-api", "orders-worker", "coloring", "vectorize", "notifier"}
    assert all(service["healthy"] for service in services.values()), services
    assert services["notifier"]["checks"] == {"broker": "ok", "hub": "ok"}
    assert [queue["name"] for queue in page["queues"]] == ["coloring", "vectorize", "download"]
    assert page["last_hour"][0]["completed"] > 0
    assert page["dead_letters"]["count"] == len(page["dead_letters"]["newest"])


@pytest.mark.timeout(240)
async def test_the_api_is_never_behind_a_pushed_event(system: Any) -> None:
    """Invariant 2: when an ``image_status`` arrives, its data can be fetched."""
    checks: list[asyncio.Task[None]] = []
    behind: list[tuple[Any, str]] = []
    turns = asyncio.Semaphore(16)

    async def check(payload: Any) -> None:
        async with turns:
            image = await system.get(f"/orders/{payload['order_number']}/images/{payload['image_id']}")
        shown = version_of(image, "coloring", payload["version_id"])["status"]
        if COLORING.index(shown) < COLORING.index(payload["status"]):
            behind.append((payload, shown))

    def heard(event: Any) -> None:
        if event.payload["type"] == "image_status":
            checks.append(asyncio.create_task(check(event.payload)))

    async with system.stack.subscriber("orders") as subscriber:
        subscriber.on_update = heard
        # On a busy machine a poll can miss a state of the provider: repeat with new orders.
        while len(checks) < 1000:
            orders = [await system.order(10, process="coloring", first_seed=len(checks)) for _ in range(10)]
            await asyncio.gather(*(completed(system, order["order_number"]) for order in orders))
        await asyncio.gather(*checks)
    assert behind == []


def is_stored(system: Any, url: str) -> bool:
    """Whether the file behind a URL is stored."""
    return bool((system.stack.storage / url.split("/static/images/")[1]).exists())


async def completed(system: Any, number: str) -> None:
    """Wait until every coloring of an order is completed."""
    async with asyncio.timeout(100):
        while True:
            order = await system.get(f"/orders/{number}")
            images = [image for item in order["line_items"] for image in item["images"]]
            if all(v["status"] == "completed" for image in images for v in image["versions"]["coloring"]):
                return
            await asyncio.sleep(0.5)


async def test_an_error_is_pushed_with_its_code_and_can_be_retried(system: Any) -> None:
    order = await system.order(1)
    number = order["order_number"]
    image_id = order["line_items"][0]["images"][0]["id"]
    system.runpod.fail("submit", 401)
    async with system.stack.subscriber(f"orders/{number}") as subscriber:
        version = await system.post(f"/images/{image_id}/generate-coloring")
        await subscriber.until(lambda heard: sum(h.payload["type"] == "order_update" for h in heard) >= 2)
        failed = version_of(
            await system.get(f"/orders/{number}/images/{image_id}"), "coloring", version["id"]
        )
        assert failed["status"] == "error"
        assert failed["error"]["code"] == "provider_unauthorized"
        await system.post(f"/coloring-versions/{version['id']}/retry")
        await subscriber.until(lambda heard: sum(h.payload["type"] == "order_update" for h in heard) >= 4)
    done = version_of(await system.get(f"/orders/{number}/images/{image_id}"), "coloring", version["id"])
    assert done["status"] == "completed"


async def test_a_cancelled_coloring_is_cancelled_at_the_provider(system: Any) -> None:
    order = await system.order(1, first_seed=7000)
    image_id = order["line_items"][0]["images"][0]["id"]
    before = system.runpod.stats()["cancels"]
    system.runpod.plan(JobPlan(states=["IN_QUEUE"]))
    topic = f"orders/{order['order_number']}"
    async with system.stack.subscriber(topic) as subscriber:
        version = await system.post(f"/images/{image_id}/generate-coloring")
        await subscriber.until(lambda heard: any(h.payload.get("status") == "runpod_queued" for h in heard))
        cancelled = await system.post(f"/coloring-versions/{version['id']}/cancel")
        assert cancelled["error"]["code"] == "cancelled"
        await system.runpod.until(lambda: system.runpod.stats()["cancels"] > before, timeout=30)
    assert (await system.get(f"/images/{image_id}/coloring-versions"))[0]["status"] == "error"


async def test_one_trace_leads_from_the_click_to_the_push(system: Any) -> None:
    import nats  # noqa: PLC0415

    trace_id = "0af7651916cd43dd8448eb211c80319c"
    order = await system.order(1, first_seed=8000)
    image_id = order["line_items"][0]["images"][0]["id"]
    system.runpod.plan(JobPlan(states=["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]))
    headers = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}
    async with system.stack.subscriber(f"orders/{order['order_number']}") as subscriber:
        url = f"{system.stack.api_url}/images/{image_id}/generate-coloring"
        async with aiohttp.ClientSession() as http, http.post(url, headers=headers) as response:
            assert response.status == 202
        await subscriber.until(lambda heard: len(heard) >= len(COLORING))
    nc = await nats.connect(system.stack.nats.url)
    try:
        subject = f"events.order.{order['order_number']}.version_status_changed"
        subscription = await nc.jetstream().subscribe(subject, ordered_consumer=True)
        messages = [await subscription.next_msg(timeout=10) for _ in COLORING]
    finally:
        await nc.close()
    assert {message.headers["traceparent"].split("-")[1] for message in messages} == {trace_id}
