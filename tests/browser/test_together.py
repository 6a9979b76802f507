"""Two users at once: each sees the other's changes."""

import re

from playwright.async_api import expect

from tests.browser.conftest import Arrive
from tests.browser.orders import images_of
from tests.system import System

GENERATE = re.compile("^(Vygenerovat omalovánku|Nová omalovánka)")


async def test_changes_of_one_user_appear_for_another(visit: Arrive, system: System) -> None:
    here, there, at_list = await visit(), await visit(), await visit()
    await at_list.open()
    await at_list.until_light("live")
    order = await system.order(1, first_seed=30)
    number, image = order["order_number"], images_of(order)[0]["id"]
    row = at_list.page.get_by_role("row").filter(has_text=number)
    await expect(row).to_be_visible()
    await here.open_order(number)
    await there.open_order(number)
    loaded = await there.loaded()

    for version in (1, 2):
        await here.lane(image, "coloring").get_by_role("button", name=GENERATE).click()
        await expect(there.badge(image, "coloring", version)).to_have_attribute("data-status", "completed")
    await expect(row.get_by_role("progressbar", name="Omalovánky")).to_have_attribute("aria-valuenow", "1")

    here_tiles = here.lane(image, "coloring").locator("li button")
    there_tiles = there.lane(image, "coloring").locator("li button")
    for place in (1, 0, 1):
        await here.choose(image, "coloring", place + 1)
        await expect(there_tiles.nth(place)).to_have_attribute("aria-current", "true")
    await there.choose(image, "coloring", 1)
    await expect(here_tiles.nth(0)).to_have_attribute("aria-current", "true")

    await there.lane(image, "svg").get_by_role("button", name="Vygenerovat SVG").click()
    await expect(here.badge(image, "svg")).to_have_attribute("data-status", "completed")
    assert await there.loaded() == loaded


async def test_an_order_deleted_by_another_user_disappears(visit: Arrive, system: System) -> None:
    at_list = await visit()
    await at_list.open()
    await at_list.until_light("live")
    number = (await system.order(1, first_seed=40))["order_number"]
    row = at_list.page.get_by_role("row").filter(has_text=number)
    await expect(row).to_be_visible()
    async with system.http.delete(f"{system.stack.api_url}/orders/{number}") as response:
        assert response.status == 204
    await expect(row).to_have_count(0)
