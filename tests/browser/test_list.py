"""Work in the list of orders: position, selection, photos chosen and dropped, first paint."""

import asyncio

from playwright.async_api import Route, expect

from pastelka_local.testing.stack import photo
from tests.browser.conftest import Arrive
from tests.browser.visitor import DisplayOptions, Visitor
from tests.system import System

LOW = DisplayOptions(height=500)


async def rows(system: System, count: int, first_seed: int) -> list[str]:
    """Create orders; their numbers, newest first."""
    made = [(await system.order(1, first_seed=first_seed + n))["order_number"] for n in range(count)]
    return made[::-1]


async def test_the_list_is_where_it_was_after_back(visit: Arrive, system: System) -> None:
    numbers = await rows(system, 12, 1100)
    visitor = await visit(LOW)
    page = visitor.page
    await visitor.open("/?q=m")
    # With the counts, the filters take more rows of the screen.
    await visitor.until_light("live")
    await expect(page.get_by_role("group", name="Stav objednávky").locator("b").first).to_be_visible()
    row = page.locator(f"[data-order='{numbers[9]}']")
    await row.scroll_into_view_if_needed()
    top = await page.evaluate("scrollY")
    assert top > 100
    for back in (page.go_back, page.get_by_role("link", name="← Objednávky").click):
        await page.locator(f"[data-order='{numbers[9]}']").click()
        await expect(page.locator("main h1")).to_contain_text(numbers[9])
        assert await page.evaluate("scrollY") == 0
        await back()
        await expect(row).to_be_in_viewport()
        await visitor.until(lambda: page.evaluate(f"scrollY === {top}"))
        assert page.url.endswith("/?q=m")


async def test_shift_selects_a_range_and_escape_clears(visit: Arrive, system: System) -> None:
    numbers = await rows(system, 4, 1120)
    visitor = await visit(LOW)
    page = visitor.page
    await visitor.open()

    def box(number: str) -> str:
        return f"Vybrat objednávku {number}"

    await page.get_by_role("checkbox", name=box(numbers[0])).click()
    await page.get_by_role("checkbox", name=box(numbers[3])).click(modifiers=["Shift"])
    for number in numbers:
        await expect(page.get_by_role("checkbox", name=box(number))).to_be_checked()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Zrušit výběr")).to_have_count(0)


async def test_forty_chosen_photos_leave_the_button_in_sight_and_are_not_lost(visit: Arrive) -> None:
    for size in (DisplayOptions(height=700), DisplayOptions(width=375, height=667)):
        visitor = await visit(size)
        page = visitor.page
        await visitor.open()
        await visitor.until_light("live")
        await visitor.drop(*(photo(1140 + n) for n in range(40)))
        dialog = page.get_by_role("dialog", name="Nová objednávka")
        await expect(dialog.get_by_text("40 fotek")).to_be_visible()
        await expect(dialog.get_by_role("button", name="Vytvořit objednávku")).to_be_in_viewport(ratio=1)
        await expect(dialog.get_by_label("Zákazník")).to_be_in_viewport(ratio=1)
        tile = await dialog.get_by_role("listitem").first.bounding_box()
        assert tile is not None
        assert round(tile["height"]) == round(tile["width"]), "the tiles are not squeezed"
        await page.keyboard.press("Escape")
        question = page.get_by_role("dialog", name="Zahodit vybrané fotky?")
        await question.get_by_role("button", name="Pokračovat").click()
        await expect(dialog.get_by_text("40 fotek")).to_be_visible()
        await page.keyboard.press("Escape")
        await question.get_by_role("button", name="Zahodit fotky").click()
        await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_file_dropped_where_photos_are_not_taken_does_not_leave_the_dashboard(
    visitor: Visitor,
) -> None:
    await visitor.open("/system")
    await visitor.until_light("live")
    loaded = await visitor.loaded()
    prevented = await visitor.page.evaluate(
        """() => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(["x"], "a.jpg", { type: "image/jpeg" }));
          return ["dragover", "drop"].map((kind) => !document.body.dispatchEvent(
            new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true })));
        }"""
    )
    assert prevented == [True, True]
    toast = visitor.page.get_by_role("region", name="Oznámení").get_by_role("listitem")
    await expect(toast).to_contain_text("Zde fotky přidat nelze.")
    assert visitor.page.url.endswith("/system")
    assert await visitor.loaded() == loaded


async def test_the_page_is_not_blank_while_scripts_and_styles_are_loading(visitor: Visitor) -> None:
    page = visitor.page
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await page.route("**/assets/*", hold)
    await page.goto(visitor.root, wait_until="commit")
    await expect(page.locator("header", has_text="Pastelka")).to_be_visible()
    paints = "performance.getEntriesByName('first-contentful-paint').length"
    await visitor.until(lambda: page.evaluate(paints))
    held.set()
    await visitor.until_light("live")
    await expect(page.locator(".first")).to_have_count(0)
