"""Coloring and vectorizing are paused and resumed for all, and no job is taken meanwhile."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.conftest import Arrive
from tests.browser.orders import count, images_of
from tests.browser.password_gateway import PasswordGateway, enter
from tests.browser.visitor import Visitor
from tests.system import System

PAUSED = "Generování omalovánek je od"


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def resumed(system: System) -> AsyncIterator[None]:
    """Leave no queue paused for the next test."""
    yield
    for kind in ("coloring", "svg"):
        await system.post(f"/queues/{kind}/resume")


def banner(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("region", name="Pozastavené fronty")


async def test_a_pause_is_seen_by_all_takes_no_job_and_is_lifted_by_anyone(
    visit: Arrive, system: System
) -> None:
    here, there = await visit(), await visit()
    order = await system.order(1, first_seed=1300)
    number, image = order["order_number"], images_of(order)[0]["id"]
    await here.open("/system")
    await here.until_light("live")
    await there.open_order(number)
    loaded = await there.loaded()
    await expect(banner(there)).to_have_count(0)
    await here.page.get_by_role("button", name="Pozastavit generování omalovánek").click()
    for visitor in (here, there):
        await expect(banner(visitor).get_by_text(PAUSED)).to_be_visible()

    before = system.runpod.stats()["submits"]
    await there.page.get_by_role("button", name="Vygenerovat omalovánky").click()
    await expect(there.badge(image, "coloring")).to_have_attribute("data-status", "queued")
    # A service that starts again declares its consumer again, which does not end the pause.
    service = system.stack.services["coloring"]
    await service.stop()
    await service.start()
    # The review shows it as well.
    await here.open("/review")
    await expect(banner(here).get_by_text(PAUSED)).to_be_visible()
    # Other work goes on meanwhile.
    other = await system.order(1, process="none", first_seed=1301)
    await expect(there.page.locator("main")).to_be_visible()
    assert other["order_number"] != number
    assert await count(system, number, "coloring", "queued") == 1
    assert system.runpod.stats()["submits"] == before

    await banner(there).get_by_role("button", name="Spustit generování omalovánek").click()
    await expect(there.badge(image, "coloring")).to_have_attribute("data-status", "completed")
    for visitor in (here, there):
        await expect(banner(visitor)).to_have_count(0)
    assert await there.loaded() == loaded


async def test_svgs_are_paused_alone(visitor: Visitor, system: System) -> None:
    order = await system.order(1, first_seed=1310)
    image = images_of(order)[0]["id"]
    await system.post("/queues/svg/pause")
    await visitor.open_order(order["order_number"])
    await expect(banner(visitor).get_by_text("Generování SVG je od")).to_be_visible()
    await visitor.lane(image, "coloring").get_by_role("button", name="Vygenerovat omalovánku").click()
    await expect(visitor.badge(image, "coloring")).to_have_attribute("data-status", "completed")
    await visitor.lane(image, "svg").get_by_role("button", name="Vygenerovat SVG").click()
    await expect(visitor.badge(image, "svg")).to_have_attribute("data-status", "queued")
    await banner(visitor).get_by_role("button", name="Spustit generování SVG").click()
    await expect(visitor.badge(image, "svg")).to_have_attribute("data-status", "completed")


async def test_a_viewer_sees_a_pause_and_cannot_lift_it(
    visit: Arrive, system: System, password_gateway: PasswordGateway
) -> None:
    await system.post("/queues/coloring/pause")
    visitor = await visit(at=password_gateway.url)
    await enter(visitor, await password_gateway.user("viewer"))
    await expect(banner(visitor).get_by_text(PAUSED)).to_be_visible()
    await expect(banner(visitor).get_by_role("button")).to_have_count(0)
    await visitor.page.get_by_role("link", name="Systém").click()
    await expect(visitor.page.get_by_role("heading", name="Fronty")).to_be_visible()
    await expect(visitor.page.get_by_role("button", name="generování omalovánek")).to_have_count(0)
