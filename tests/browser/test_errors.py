"""Errors are shown where they happen, and can be retried."""

import re
from typing import Any

from playwright.async_api import expect

from tests.browser.gates import queue_until_advanced
from tests.browser.orders import images, images_of
from tests.browser.visitor import Visitor
from tests.system import System


async def order_on_screen(visitor: Visitor, system: System) -> tuple[str, Any]:
    """Create an order of one photo and open it; returns its number and image."""
    order = await system.order(1, first_seed=10)
    await visitor.open_order(order["order_number"])
    return order["order_number"], images_of(order)[0]


async def test_an_error_shows_its_message_and_is_retried(visitor: Visitor, system: System) -> None:
    number, image = await order_on_screen(visitor, system)
    lane, badge = visitor.lane(image["id"], "coloring"), visitor.badge(image["id"], "coloring")
    system.runpod.fail("submit", 401)
    await lane.get_by_role("button", name="Vygenerovat omalovánku").click()
    await expect(badge).to_have_attribute("data-status", "error")
    await expect(badge).to_have_text("Chyba")
    await expect(lane.get_by_text("Omalovánku v1 se nepodařilo vytvořit.")).to_be_visible()
    failure = (await images(system, number))[0]["versions"]["coloring"][0]["error"]
    assert failure["code"] == "provider_unauthorized"
    sentence = lane.locator("[role=status]", has_text="Omalovánku v1 se nepodařilo vytvořit.")
    # The title is followed by a reason, whatever its words in this language.
    assert len(re.sub(r"\s+", " ", await sentence.inner_text())) > len(
        "Omalovánku v1 se nepodařilo vytvořit. Zkusit znovu"
    )
    await lane.get_by_role("button", name="Zkusit znovu omalovánku v1").click()
    await expect(badge).to_have_attribute("data-status", "completed")
    await expect(lane.get_by_text("se nepodařilo vytvořit")).to_have_count(0)
    shown = [change["status"] for change in await visitor.recorded(image["id"], "coloring")]
    assert "error" in shown
    assert shown[-1] == "completed"
    assert len((await images(system, number))[0]["versions"]["coloring"]) == 1


async def test_an_active_version_is_cancelled_and_can_be_retried(visitor: Visitor, system: System) -> None:
    number, image = await order_on_screen(visitor, system)
    lane, badge = visitor.lane(image["id"], "coloring"), visitor.badge(image["id"], "coloring")
    before = system.runpod.stats()["cancels"]
    queue_until_advanced(system)
    await lane.get_by_role("button", name="Vygenerovat omalovánku").click()
    await expect(badge).to_have_attribute("data-status", "runpod_queued")
    await expect(lane.get_by_role("progressbar")).to_be_visible()
    await expect(lane.get_by_role("timer")).to_contain_text(re.compile(r"\d"))
    await lane.get_by_role("button", name="Zrušit omalovánku v1").click()
    await expect(badge).to_have_attribute("data-status", "error")
    await expect(lane.get_by_text("Omalovánka v1 byla zrušena.")).to_be_visible()
    await system.runpod.until(lambda: system.runpod.stats()["cancels"] != before, timeout=30)
    assert (await images(system, number))[0]["versions"]["coloring"][0]["error"]["code"] == "cancelled"
    await lane.get_by_role("button", name="Zkusit znovu omalovánku v1").click()
    await expect(badge).to_have_attribute("data-status", "completed")


async def test_an_unavailable_api_is_shown_as_such_and_not_as_missing_data(
    visitor: Visitor, system: System
) -> None:
    number, image = await order_on_screen(visitor, system)
    visitor.watch.announce(r"/api/v1/.*: 503")
    lane = visitor.lane(image["id"], "coloring")
    await visitor.until_answered()
    await system.stack.services["api"].kill()
    try:
        await lane.get_by_role("button", name="Vygenerovat omalovánku").click()
        toast = visitor.page.get_by_role("region", name="Oznámení").get_by_role("listitem")
        await expect(toast.first).to_be_visible()
        # The screen keeps its content.
        await expect(visitor.card(image["id"])).to_be_visible()
        await visitor.page.reload()
        notice = visitor.page.get_by_role("alert")
        await expect(notice).to_contain_text("Objednávku se nepodařilo načíst")
        await expect(visitor.page.get_by_text("neexistuje")).to_have_count(0)
    finally:
        await system.stack.services["api"].start()
    await visitor.page.get_by_role("button", name="Zkusit znovu").click()
    await expect(visitor.card(image["id"])).to_be_visible()
    await visitor.until_light("live")
    await lane.get_by_role("button", name="Vygenerovat omalovánku").click()
    await expect(visitor.badge(image["id"], "coloring")).to_have_attribute("data-status", "completed")
    assert len((await images(system, number))[0]["versions"]["coloring"]) == 1


async def test_an_unknown_order_is_shown_as_missing(visitor: Visitor) -> None:
    visitor.watch.announce(r"/api/v1/orders/M9999999: 404")
    await visitor.open("/orders/M9999999")
    await expect(visitor.page.get_by_text("Objednávka M9999999 neexistuje")).to_be_visible()
