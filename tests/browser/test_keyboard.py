"""The whole main job without a pointer."""

import re

from playwright.async_api import FilePayload, Locator, expect

from pastelka_local.testing.stack import photo
from tests.browser.gates import queue_until_advanced
from tests.browser.keyboard import COUNT_POINTERS, Keyboard
from tests.browser.orders import images
from tests.browser.visitor import Visitor
from tests.system import System


async def status(visitor: Visitor, image: int, kind: str, version: int, wanted: str) -> None:
    await expect(visitor.badge(image, kind, version)).to_have_attribute("data-status", wanted)


async def create(visitor: Visitor, keys: Keyboard, customer: str) -> str:
    """Create an order from a selected photo; returns its number."""
    page = visitor.page
    await keys.enter(page.get_by_role("button", name="Nová objednávka"))
    dialog = page.get_by_role("dialog")
    async with page.expect_file_chooser() as choosing:
        await keys.enter(dialog.get_by_role("button", name="Vybrat fotky"))
    chosen = FilePayload(name="photo.jpg", mimeType="image/jpeg", buffer=photo(400))
    await (await choosing.value).set_files(chosen)
    await keys.tab_to(dialog.get_by_label("Zákazník"))
    await keys.type(customer)
    await keys.tab_to(dialog.get_by_role("radio", checked=True))
    await keys.press("ArrowLeft")
    await expect(dialog.get_by_role("radio", name="Jen uložit")).to_be_checked()
    await keys.enter(dialog.get_by_role("button", name="Vytvořit objednávku"))
    await page.wait_for_url("**/orders/*")
    await expect(page.locator("article[data-image]")).to_have_count(1)
    return page.url.rsplit("/", 1)[1]


async def find_and_open(visitor: Visitor, keys: Keyboard, number: str, customer: str) -> None:
    page = visitor.page
    await keys.enter(page.get_by_role("link", name="Objednávky").first)
    await expect(page.get_by_role("table")).to_be_visible()
    await keys.press("/")
    search = page.get_by_role("textbox", name="Číslo nebo zákazník")
    await expect(search).to_be_focused()
    await keys.type(customer)
    await page.wait_for_url(re.compile(r"q="))
    await expect(page.locator("[data-order]")).to_have_count(1)
    await keys.press("Escape")
    await keys.press("j")
    await keys.press("Enter")
    await page.wait_for_url(f"**/orders/{number}")
    await visitor.until_light("live")


async def make_and_choose(visitor: Visitor, keys: Keyboard, image: int) -> None:
    await expect(visitor.card(image)).to_be_visible()
    await keys.press("j")
    await expect(visitor.card(image)).to_be_focused()
    for version in (1, 2):
        await keys.press("c")
        await status(visitor, image, "coloring", version, "completed")
    tiles = visitor.lane(image, "coloring").locator("li button")
    for digit in (1, 2, 1):
        await keys.press(str(digit))
        await expect(tiles.nth(digit - 1)).to_have_attribute("aria-pressed", "true")
    for version in (1, 2):
        await keys.press("v")
        await status(visitor, image, "svg", version, "completed")
    tiles = visitor.lane(image, "svg").locator("li button")
    for digit in (1, 2):
        await keys.press(f"Shift+Digit{digit}")
        await expect(tiles.nth(digit - 1)).to_have_attribute("aria-pressed", "true")


async def look(visitor: Visitor, keys: Keyboard, image: int) -> None:
    """Use the viewer with its views and zoom, and the slider on the card."""
    await keys.press("Enter")
    dialog = visitor.page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    for digit, name in ((1, "Fotka"), (2, "Omalovánka"), (3, "SVG"), (4, "Porovnat")):
        await keys.press(str(digit))
        await expect(dialog.get_by_role("button", name=name, exact=True)).to_have_attribute(
            "aria-pressed", "true"
        )
    await keys.press("+")
    await expect(dialog.locator("[data-zoom]")).to_have_attribute("data-zoom", "1.40")
    await keys.press("0")
    await expect(dialog.locator("[data-zoom]")).to_have_attribute("data-zoom", "1.00")
    await wipe(keys, dialog.get_by_role("slider"), "ArrowLeft", -5)
    await keys.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(visitor.card(image)).to_be_focused()
    await wipe(keys, visitor.card(image).get_by_role("slider"), "ArrowRight", 5)


async def wipe(keys: Keyboard, slider: Locator, key: str, by: int) -> None:
    await keys.tab_to(slider)
    before = float(await slider.input_value())
    for _ in range(5):
        await keys.press(key)
    assert float(await slider.input_value()) == before + by


async def retry_and_cancel(visitor: Visitor, keys: Keyboard, system: System, image: int) -> None:
    lane = visitor.lane(image, "coloring")
    system.runpod.fail("submit", 401)
    await keys.enter(lane.get_by_role("button", name="Nová omalovánka"))
    await status(visitor, image, "coloring", 3, "error")
    await keys.enter(lane.get_by_role("button", name="Zkusit znovu omalovánku v3"), back=True)
    await status(visitor, image, "coloring", 3, "completed")
    queue_until_advanced(system)
    await keys.enter(lane.get_by_role("button", name="Nová omalovánka"))
    await status(visitor, image, "coloring", 4, "runpod_queued")
    await keys.enter(lane.get_by_role("button", name="Zrušit omalovánku v4"), back=True)
    await status(visitor, image, "coloring", 4, "error")
    await expect(lane.get_by_text("Omalovánka v4 byla zrušena.")).to_be_visible()


async def switch(visitor: Visitor, keys: Keyboard) -> None:
    """Switch language and theme and back, open and close the help."""
    page = visitor.page
    html = page.locator("html")
    await keys.enter(page.get_by_role("button", name="Switch to English"), back=True)
    await expect(html).to_have_attribute("lang", "en")
    await keys.enter(page.get_by_role("button", name="Přepnout do češtiny"))
    await expect(html).to_have_attribute("lang", "cs")
    await keys.enter(page.get_by_role("button", name="Tmavý vzhled"), back=True)
    await expect(html).to_have_attribute("data-theme", "dark")
    await keys.enter(page.get_by_role("button", name="Světlý vzhled"))
    await expect(html).to_have_attribute("data-theme", "light")
    await keys.press("?")
    await expect(page.get_by_role("dialog", name="Klávesové zkratky")).to_be_visible()
    await keys.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def delete(visitor: Visitor, keys: Keyboard, number: str) -> None:
    page = visitor.page
    await keys.enter(page.get_by_role("button", name="Smazat", exact=True))
    await keys.enter(page.get_by_role("dialog").get_by_role("button", name="Smazat objednávku"))
    await page.wait_for_url(re.compile(r"/(\?.*)?$"))
    await expect(page.get_by_text(f"Objednávka {number} byla smazána.")).to_be_visible()
    await expect(page.locator(f"[data-order='{number}']")).to_have_count(0)


async def test_main_job_by_keyboard(visitor: Visitor, system: System) -> None:
    await visitor.context.add_init_script(COUNT_POINTERS)
    keys = Keyboard(visitor)
    await visitor.open()
    await visitor.until_light("live")
    loaded = await visitor.loaded()
    number = await create(visitor, keys, "Keyboard Novak")
    await find_and_open(visitor, keys, number, "Keyboard")
    image = (await images(system, number))[0]["id"]
    await make_and_choose(visitor, keys, image)
    await look(visitor, keys, image)
    await retry_and_cancel(visitor, keys, system, image)
    await switch(visitor, keys)
    await delete(visitor, keys, number)
    assert await visitor.page.evaluate("window.pointers") == 0
    assert await visitor.loaded() == loaded
