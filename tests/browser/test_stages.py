"""The operator's day: what needs work is found in the list, reviewed, printed and shipped."""

from playwright.async_api import expect

from tests.browser.conftest import Arrive
from tests.browser.orders import images_of
from tests.browser.visitor import Visitor
from tests.system import System


async def generate(visitor: Visitor, ids: list[int], status: str = "completed") -> None:
    await visitor.page.get_by_role("button", name="Vygenerovat omalovánky").click()
    if len(ids) > 1:
        await visitor.confirm_cost()
    for image in ids:
        await expect(visitor.badge(image, "coloring")).to_have_attribute("data-status", status)


async def has_stage(visitor: Visitor, stage: str) -> None:
    await expect(visitor.page.locator("main [data-stage]").first).to_have_attribute("data-stage", stage)


async def filter_by(visitor: Visitor, stage: str) -> None:
    chips = visitor.page.get_by_role("group", name="Stav objednávky")
    await chips.get_by_role("button", name=stage).click()


async def test_from_generated_to_shipped_by_the_next_action(visit: Arrive, system: System) -> None:
    visitor, at_list = await visit(), await visit()
    order = await system.order(2, first_seed=60)
    number, ids = order["order_number"], [image["id"] for image in images_of(order)]
    await at_list.open()
    await at_list.until_light("live")
    row = at_list.page.get_by_role("row").filter(has_text=number)
    await expect(row.locator("[data-stage]")).to_have_attribute("data-stage", "to_generate")
    await visitor.open_order(number)
    loaded = await visitor.loaded()
    await generate(visitor, ids)
    await has_stage(visitor, "to_review")
    await expect(row).to_contain_text("2 ke\u00a0kontrole")

    await visitor.page.get_by_role("link", name="Zkontrolovat (2)").click()
    for image in ids:
        await expect(visitor.page.locator("main")).to_have_attribute("data-image", str(image))
        await visitor.page.keyboard.press("Enter")
    await visitor.page.go_back()
    await has_stage(visitor, "approved")
    for action, stage in (("Označit jako vytištěnou", "printed"), ("Označit jako odeslanou", "shipped")):
        await visitor.page.get_by_role("button", name=action).click()
        await has_stage(visitor, stage)
        await expect(row.locator("[data-stage]")).to_have_attribute("data-stage", stage)
    await filter_by(at_list, "Odesláno")
    await expect(row).to_be_visible()
    await filter_by(at_list, "Ke kontrole")
    await expect(row).to_have_count(0)
    assert await visitor.loaded() == loaded


async def test_a_failed_page_is_found_by_its_stage_and_retried(visitor: Visitor, system: System) -> None:
    order = await system.order(1, first_seed=65)
    number, ids = order["order_number"], [image["id"] for image in images_of(order)]
    await visitor.open_order(number)
    system.runpod.fail("submit", 401)
    await generate(visitor, ids, "error")
    await has_stage(visitor, "attention")
    await visitor.open()
    await filter_by(visitor, "Vyžaduje zásah")
    row = visitor.page.get_by_role("row").filter(has_text=number)
    await expect(row).to_contain_text("1 s\u00a0chybou")
    await visitor.page.get_by_role("link", name=number).click()
    await visitor.page.get_by_role("button", name="Zopakovat 1 nezdařenou").click()
    await has_stage(visitor, "to_review")


async def test_an_order_is_put_on_hold_with_a_reason(visitor: Visitor, system: System) -> None:
    number = (await system.order(1, first_seed=66))["order_number"]
    page = visitor.page
    await visitor.open_order(number)
    await page.get_by_role("button", name="Pozastavit").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Důvod").fill("Zákazník zavolá")
    await dialog.get_by_role("button", name="Pozastavit").click()
    await expect(page.get_by_text("Pozastaveno: Zákazník zavolá")).to_be_visible()
    await has_stage(visitor, "on_hold")
    await page.get_by_role("button", name="Znovu zařadit do práce").click()
    await has_stage(visitor, "to_generate")


async def test_an_approval_freezes_the_choice_for_all(visit: Arrive, system: System) -> None:
    here, there = await visit(), await visit()
    order = await system.order(1, first_seed=67)
    number, image = order["order_number"], images_of(order)[0]["id"]
    await here.open_order(number)
    await there.open_order(number)
    await generate(here, [image])
    lane, other = here.lane(image, "coloring"), there.lane(image, "coloring")
    await lane.get_by_role("button", name="Nová omalovánka").click()
    await expect(there.badge(image, "coloring", 2)).to_have_attribute("data-status", "completed")
    # The second try is a candidate, and is looked at without choosing it.
    tiles = other.locator("li button")
    await expect(tiles.nth(1)).to_contain_text("kandidát")
    await tiles.nth(1).click()
    await expect(other.get_by_role("button", name="Vybrat v2")).to_be_visible()
    await lane.get_by_role("button", name="Schválit v1").click()
    await expect(other.locator("[data-approved]")).to_be_visible()
    await expect(other.get_by_role("button", name="Vybrat v2")).to_have_count(0)
    await expect(tiles.nth(0)).to_have_attribute("aria-current", "true")
    await other.get_by_role("button", name="Zrušit schválení").click()
    await expect(lane.get_by_role("button", name="Schválit v1")).to_be_visible()
    await there.choose(image, "coloring", 2)
    await expect(lane.locator("li button").nth(1)).to_have_attribute("aria-current", "true")

    await lane.get_by_role("button", name="Vrátit").click()
    dialog = here.page.get_by_role("dialog")
    await dialog.get_by_label("Důvod").fill("Dva nosy")
    await dialog.get_by_role("button", name="Vrátit").click()
    await expect(other.get_by_text("Vráceno: Dva nosy")).to_be_visible()
    await has_stage(there, "to_generate")
