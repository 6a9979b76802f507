"""The full-screen view of photos, pages and SVGs: zoom, pan, comparison, and what is loaded ahead."""

import asyncio
from typing import Any

from playwright.async_api import Locator, Page, Request, Route, expect

from pastelka_common.testing.waiting import until
from tests.browser.conftest import Arrive
from tests.browser.orders import images
from tests.browser.visitor import DisplayOptions, Visitor
from tests.system import System

PHONE = DisplayOptions(width=375, height=780, touch=True)


async def colored(system: System, photos: int, first_seed: int) -> tuple[str, list[Any]]:
    """An order whose photos have a page; its number and images."""
    number = (await system.order(photos, process="coloring", first_seed=first_seed))["order_number"]

    async def done() -> bool:
        return all(image["selected_version_ids"]["coloring"] for image in await images(system, number))

    met: bool = await until(done, 60)
    assert met
    return number, await images(system, number)


async def open_viewer(visitor: Visitor, image_id: int, view: str) -> Locator:
    """Open an image in a view; returns the dialog once the picture is loaded."""
    await visitor.card(image_id).get_by_role("button", name="Zobrazit na celou obrazovku").first.click()
    dialog = visitor.page.get_by_role("dialog")
    await dialog.get_by_role("button", name=view, exact=True).click()
    await expect(dialog.locator("[data-sheet=true]").first).to_be_visible()
    return dialog


def zoom_of(dialog: Locator) -> Locator:
    return dialog.locator("[data-zoom]")


async def box(target: Locator) -> dict[str, float]:
    """Place of an element on screen."""
    found: dict[str, float] = await target.evaluate("one => one.getBoundingClientRect().toJSON()")
    return found


async def wheel(page: Page, x: float, y: float, turns: int) -> None:
    await page.mouse.move(x, y)
    for _ in range(abs(turns)):
        await page.mouse.wheel(0, 300 if turns > 0 else -300)


async def test_the_picture_never_leaves_the_screen(visitor: Visitor, system: System) -> None:
    number, [image] = await colored(system, 1, 1000)
    await visitor.open_order(number)
    page = visitor.page
    dialog = await open_viewer(visitor, image["id"], "Omalovánka")
    sheet = dialog.locator("[data-sheet]")
    whole = await box(sheet)
    # In at one corner, then out at the opposite one.
    await wheel(page, whole["left"] + 5, whole["top"] + 5, -4)
    await expect(zoom_of(dialog)).not_to_have_attribute("data-zoom", "1.00")
    await wheel(page, whole["right"] - 5, whole["bottom"] - 5, 3)
    frame = await box(dialog.locator(".touch-none").first)
    now = await box(sheet)
    assert now["top"] <= frame["top"] + 1
    assert now["bottom"] >= frame["bottom"] - 1
    await wheel(page, whole["right"] - 5, whole["bottom"] - 5, 9)
    await page.keyboard.press("0")
    await expect(zoom_of(dialog)).to_have_attribute("data-zoom", "1.00")
    assert await box(sheet) == whole


async def test_ctrl_and_the_wheel_zoom_the_picture_and_not_the_page(visitor: Visitor, system: System) -> None:
    number, [image] = await colored(system, 1, 1010)
    await visitor.open_order(number)
    page = visitor.page
    dialog = await open_viewer(visitor, image["id"], "Fotka")
    scales = "[visualViewport.scale, devicePixelRatio, innerWidth]"
    before = await page.evaluate(scales)
    await page.keyboard.down("Control")
    await wheel(page, 700, 450, -2)
    await page.keyboard.up("Control")
    await expect(zoom_of(dialog)).not_to_have_attribute("data-zoom", "1.00")
    assert await page.evaluate(scales) == before
    # 100 % is a pixel of the picture for a pixel of the screen.
    await page.keyboard.press("0")
    await page.keyboard.press("z")
    await expect(zoom_of(dialog)).to_contain_text("100 %")
    picture = dialog.get_by_role("img").last
    assert round((await box(picture))["width"]) == await picture.evaluate("one => one.naturalWidth")


async def test_a_zoomed_comparison_is_panned_and_wiped(visitor: Visitor, system: System) -> None:
    number, [image] = await colored(system, 1, 1020)
    await visitor.open_order(number)
    page = visitor.page
    dialog = await open_viewer(visitor, image["id"], "Porovnat")
    for _ in range(4):
        await page.keyboard.press("+")
    sheets = dialog.locator("[data-sheet]")
    before = await box(sheets.first)
    await page.mouse.move(400, 300)
    await page.mouse.down()
    await page.mouse.move(440, 330, steps=4)
    await page.mouse.up()

    async def is_panned() -> bool:
        now = await box(sheets.first)
        return (round(now["left"] - before["left"]), round(now["top"] - before["top"])) == (40, 30)

    await visitor.until(is_panned)
    after = [await box(sheets.nth(place)) for place in (0, 1)]
    assert after[0] == after[1], "photo and page moved together"
    slider = dialog.get_by_role("slider")
    assert await slider.input_value() == "50"
    frame = await box(slider)
    middle = (frame["left"] + frame["right"]) / 2, (frame["top"] + frame["bottom"]) / 2
    await page.mouse.move(*middle)
    await page.mouse.down()
    await page.mouse.move(middle[0] + frame["width"] / 4, middle[1], steps=4)
    await page.mouse.up()

    async def is_wiped() -> bool:
        return 70 <= int(await slider.input_value()) <= 80

    await visitor.until(is_wiped)
    assert await box(sheets.first) == after[0], "the wipe did not pan"


async def test_two_fingers_zoom(visit: Arrive, system: System) -> None:
    number, [image] = await colored(system, 1, 1030)
    visitor = await visit(PHONE)
    await visitor.open_order(number)
    dialog = await open_viewer(visitor, image["id"], "Porovnat")
    session = await visitor.context.new_cdp_session(visitor.page)

    async def touch(kind: str, *points: tuple[int, int]) -> None:
        await session.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
        )

    await touch("touchStart", (150, 400), (230, 400))
    for spread in (20, 40, 60):
        await touch("touchMove", (150 - spread, 400), (230 + spread, 400))
    await touch("touchEnd")
    await expect(zoom_of(dialog)).not_to_have_attribute("data-zoom", "1.00")

    async def is_zoomed() -> bool:
        return float(await zoom_of(dialog).get_attribute("data-zoom") or 0) > 2

    await visitor.until(is_zoomed)
    assert await visitor.page.evaluate("visualViewport.scale") == 1


async def test_neighbors_are_loaded_ahead_and_nothing_is_white(visitor: Visitor, system: System) -> None:
    number, these = await colored(system, 2, 1040)
    page = visitor.page
    url = these[1]["versions"]["coloring"][0]["url"]
    held = asyncio.Event()
    asked = asyncio.Event()

    async def hold(route: Route, request: Request) -> None:
        asked.set()
        await held.wait()
        await route.continue_()

    await visitor.open_order(number)
    # The card shows its thumbnail; the full file is held.
    await page.route(lambda address: address.endswith(url), hold)
    dialog = await open_viewer(visitor, these[0]["id"], "Omalovánka")
    async with asyncio.timeout(30):
        await asked.wait()  # without turning to it
    await page.keyboard.press("ArrowRight")
    thumbnail = dialog.locator("[data-sheet=false] img[src*=thumb_]")
    await expect(thumbnail).to_be_visible()
    await expect(thumbnail).to_have_js_property("complete", value=True)
    # At the left edge the page would be white, were it laid over the whole screen.
    color = await page.evaluate(
        """() => getComputedStyle(document.elementFromPoint(90, innerHeight - 20)).backgroundColor"""
    )
    assert color != "rgb(255, 255, 255)"
    held.set()
    await expect(dialog.locator("[data-sheet=true]")).to_be_visible()


async def test_the_keys_of_the_viewer_are_in_its_help(visitor: Visitor, system: System) -> None:
    number, [image] = await colored(system, 1, 1050)
    await visitor.open_order(number)
    page = visitor.page
    # Without a chosen photo a key starts nothing.
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    await page.keyboard.press("c")
    await expect(page.get_by_text("Nejprve přejděte na fotku klávesami j a k.")).to_be_visible()
    assert asked == []
    await open_viewer(visitor, image["id"], "Porovnat")
    help_dialog = page.get_by_role("dialog", name="Klávesové zkratky")
    for _ in range(5):  # At once: the help must be the one that closes.
        await page.keyboard.press("?")
        await expect(help_dialog).to_contain_text("Skutečná velikost a zpět")
        await page.keyboard.press("Escape")
        await expect(help_dialog).to_have_count(0)
        await expect(page.get_by_role("dialog")).to_have_count(1)
        await visitor.until(lambda: page.evaluate("document.activeElement.closest('[data-screen]') !== null"))
    # There is no SVG; the comparison keeps its key.
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="SVG", exact=True)).to_be_disabled()
    # The keys of the view go on after the help.
    await page.keyboard.press("1")
    await expect(dialog.get_by_role("button", name="Fotka", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    await page.keyboard.press("2")
    await page.keyboard.press("4")
    await expect(dialog.get_by_role("button", name="Porovnat", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
