"""Actions on many orders at once: what they cost is asked first, and refusals are shown by their reason."""

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from playwright.async_api import Locator, expect

from pastelka_common.testing.waiting import until
from tests.browser.conftest import Arrive
from tests.browser.orders import count
from tests.browser.password_gateway import PasswordGateway, enter
from tests.browser.visitor import Visitor
from tests.system import System


async def orders(system: System, photos: list[int], first_seed: int) -> list[str]:
    """Create orders with so many photos; their numbers."""
    return [
        (await system.order(number, first_seed=first_seed + 10 * place))["order_number"]
        for place, number in enumerate(photos)
    ]


async def select(visitor: Visitor, *numbers: str) -> None:
    for number in numbers:
        await visitor.page.get_by_role("checkbox", name=f"Vybrat objednávku {number}", exact=True).check()


async def choose(visitor: Visitor, action: str) -> Locator:
    """Choose one of the rarer actions for the selection; returns the dialog, if there is one."""
    await visitor.page.get_by_role("button", name="Další akce").click()
    await visitor.page.get_by_role("menuitem", name=action).click()
    return visitor.page.get_by_role("dialog")


def row_of(visitor: Visitor, number: str) -> Locator:
    return visitor.page.locator(f"[role=row]:has([data-order='{number}'])")


async def has_stage(visitor: Visitor, stage: str, *numbers: str) -> None:
    for number in numbers:
        badge = row_of(visitor, number).locator("[data-stage]")
        await expect(badge).to_have_attribute("data-stage", stage)


async def test_from_photos_to_shipped_for_several_orders_at_once(visitor: Visitor, system: System) -> None:
    numbers = await orders(system, [2, 1, 1], 1200)
    await visitor.open()
    await visitor.until_light("live")
    loaded = await visitor.loaded()
    await select(visitor, *numbers)
    await visitor.page.get_by_role("button", name="Vygenerovat omalovánky").click()
    dialog = visitor.page.get_by_role("dialog", name="Vygenerovat omalovánky?")
    # Without prices the number alone.
    await expect(dialog.get_by_text("Spustí se: 4 omalovánky.", exact=True)).to_be_visible()
    for number in numbers:
        assert await count(system, number, "coloring", "pending") == 0
    await visitor.confirm_cost()
    await has_stage(visitor, "to_review", *numbers)

    await select(visitor, *numbers)
    dialog = await choose(visitor, "Schválit omalovánky")
    await expect(dialog).to_contain_text("Schválit 4 omalovánky?")
    await dialog.get_by_role("button", name="Schválit omalovánky").click()
    await has_stage(visitor, "approved", *numbers)
    for action, stage in (("Označit jako vytištěné", "printed"), ("Označit jako odeslané", "shipped")):
        await select(visitor, *numbers)
        await choose(visitor, action)
        await has_stage(visitor, stage, *numbers)

    await select(visitor, numbers[0], numbers[1])
    dialog = await choose(visitor, "Pozastavit...")
    await dialog.get_by_label("Důvod").fill("Zákazník zavolá")
    await dialog.get_by_role("button", name="Pozastavit").click()
    await has_stage(visitor, "on_hold", *numbers[:2])
    held = await system.get(f"/orders/{numbers[0]}")
    assert held["on_hold_reason"] == "Zákazník zavolá"
    await select(visitor, *numbers)
    await choose(visitor, "Znovu zařadit do práce")
    await has_stage(visitor, "shipped", *numbers)

    await select(visitor, numbers[0])
    dialog = await choose(visitor, "Smazat...")
    await dialog.get_by_role("button", name="Zrušit").click()
    await expect(row_of(visitor, numbers[0])).to_be_visible()
    dialog = await choose(visitor, "Smazat...")
    await dialog.get_by_role("button", name="Smazat 1").click()
    await expect(row_of(visitor, numbers[0])).to_have_count(0)
    assert await visitor.loaded() == loaded


async def test_all_failed_are_retried_and_the_others_named(visitor: Visitor, system: System) -> None:
    numbers = await orders(system, [3, 1], 1240)
    system.runpod.fail("submit", 401, 401)
    await system.post(f"/orders/{numbers[0]}/generate-coloring")

    async def is_over() -> bool:
        return await count(system, numbers[0], "coloring", "error") == 2

    await until(is_over, 60)
    await visitor.open()
    await select(visitor, *numbers)
    dialog = await choose(visitor, "Zopakovat nezdařené")
    await expect(dialog.get_by_text("Spustí se: 2 omalovánky.", exact=True)).to_be_visible()
    await visitor.confirm_cost()
    toasts = visitor.page.get_by_role("region", name="Oznámení")
    await expect(toasts.get_by_text(f"není co opakovat. ({numbers[1]})")).to_be_visible()
    await has_stage(visitor, "to_review", numbers[0])
    # What was refused stays selected.
    await expect(visitor.page.get_by_text("1 vybraná")).to_be_visible()


async def test_the_files_of_several_orders_are_one_zip(
    visitor: Visitor, system: System, tmp_path: Path
) -> None:
    numbers = await orders(system, [2, 1], 1260)
    visitor.watch.announce(r"/api/v1/orders/download: 409")
    await visitor.open()
    await select(visitor, *numbers)
    async with visitor.page.expect_download() as downloading:
        await choose(visitor, "Stáhnout fotky (ZIP)")
    await (await downloading.value).save_as(tmp_path / "photos.zip")
    with ZipFile(BytesIO((tmp_path / "photos.zip").read_bytes())) as archive:
        assert archive.testzip() is None
        expected = [f"{numbers[1]}-1.jpg", f"{numbers[0]}-1.jpg", f"{numbers[0]}-2.jpg"]
        assert archive.namelist() == expected
    await choose(visitor, "Stáhnout omalovánky (ZIP)")
    toasts = visitor.page.get_by_role("region", name="Oznámení")
    await expect(toasts).to_contain_text(f"({numbers[1]}, {numbers[0]})")


async def test_every_order_of_a_search_is_selected_and_esc_clears(visitor: Visitor, system: System) -> None:
    numbers = await orders(system, [1, 1], 1280)
    page = visitor.page
    await visitor.open("/?stage=to_generate")
    await page.get_by_role("checkbox", name="Vybrat všechny načtené objednávky").check()
    for number in numbers:
        box = page.get_by_role("checkbox", name=f"Vybrat objednávku {number}", exact=True)
        await expect(box).to_be_checked()
    # An open menu takes the first Esc.
    await page.get_by_role("button", name="Další akce").click()
    await expect(page.get_by_role("menu")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menu")).to_have_count(0)
    await expect(page.get_by_role("button", name="Zrušit výběr")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Zrušit výběr")).to_have_count(0)


async def test_a_viewer_is_offered_nothing(
    visit: Arrive, system: System, password_gateway: PasswordGateway
) -> None:
    (number,) = await orders(system, [1], 1290)
    visitor = await visit(at=password_gateway.url)
    await enter(visitor, await password_gateway.user("viewer"))
    page = visitor.page
    await expect(row_of(visitor, number)).to_be_visible()
    await expect(page.get_by_role("checkbox")).to_have_count(0)
    await page.keyboard.press("j")
    for key in ("x", "c", "v"):
        await page.keyboard.press(key)
    await expect(page.get_by_role("region", name="Akce s vybranými objednávkami")).to_have_count(0)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert await count(system, number, "coloring", "pending") == 0
