"""The order page as a contact sheet: three sizes, one frame for each photo, the bar, the full-screen view."""

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import Arrive
from tests.browser.orders import images
from tests.browser.test_phone import too_wide
from tests.browser.test_pictures import box, colored
from tests.browser.visitor import DisplayOptions, Visitor
from tests.system import System


def sheets(visitor: Visitor) -> Locator:
    return visitor.page.locator("article[data-image]")


async def columns(visitor: Visitor) -> int:
    """Number of sheets beside each other."""
    tops: list[float] = await sheets(visitor).evaluate_all("all => all.map(one => one.offsetTop)")
    return tops.count(tops[0])


@pytest.mark.parametrize(("width", "expected"), [(375, (1, 1, 2)), (768, (1, 2, 4)), (1440, (1, 3, 6))])
async def test_sheets_have_three_sizes(
    visit: Arrive, system: System, width: int, expected: tuple[int, int, int]
) -> None:
    number, _ = await colored(system, 7, 1400)
    visitor = await visit(DisplayOptions(width=width, height=900, touch=width < 1000))
    await visitor.open_order(number)
    sizes = visitor.page.get_by_role("group", name="Velikost náhledů")
    if width < 768:
        await expect(sizes).to_be_hidden()
        await visitor.page.get_by_role("button", name="Podrobnosti a\u00a0akce").click()
    for name, count in zip(("velké", "střední", "malé"), expected, strict=True):
        await sizes.get_by_role("button", name=name).click()
        assert await columns(visitor) == count, name
        assert [one for one in await too_wide(visitor) if not one.startswith("the page was laid")] == []
    # A small sheet is a picture with its mark; the size stays for the next visit.
    await expect(visitor.page.get_by_role("group", name="Omalovánka")).to_have_count(0)
    await expect(sheets(visitor).first).to_contain_text("Ke kontrole")
    await visitor.open_order(number)
    small = visitor.page.get_by_role("button", name="malé", include_hidden=True)
    await expect(small).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("width", [375, 768, 1440])
async def test_number_progress_and_next_action_stay_in_sight(
    visit: Arrive, system: System, width: int
) -> None:
    number, these = await colored(system, 4, 1410)
    visitor = await visit(DisplayOptions(width=width, height=800, touch=width < 1000))
    await visitor.open_order(number)
    page = visitor.page
    await visitor.card(these[-1]["id"]).evaluate("card => card.scrollIntoView({ block: 'start' })")
    bar = visitor.bar()
    await expect(bar).to_be_in_viewport(ratio=1)
    await expect(bar).to_contain_text(number)
    await expect(bar).to_contain_text("schváleno 0 z 4")
    await expect(page.locator("[data-next-action]")).to_be_in_viewport(ratio=1)
    # Nothing of the sheet that was scrolled to is below the bar.
    lowest = (await box(page.locator("[data-next-action]")))["bottom"]
    assert (await box(visitor.card(these[-1]["id"])))["top"] >= lowest


async def test_the_mouse_lays_the_photo_over_the_page(visitor: Visitor, system: System) -> None:
    number, [image] = await colored(system, 1, 1420)
    await visitor.open_order(number)
    page, card = visitor.page, visitor.card(image["id"])
    slider = card.get_by_role("slider")
    await expect(slider).to_have_value("0")
    frame = await box(slider)
    middle = (frame["top"] + frame["bottom"]) / 2
    await page.mouse.move(frame["left"] + frame["width"] * 0.7, middle)

    async def is_laid() -> bool:
        return 68 <= int(await slider.input_value()) <= 72

    await visitor.until(is_laid)
    await page.mouse.move(5, 5)
    await expect(slider).to_have_value("0")
    await page.mouse.click(frame["left"] + frame["width"] * 0.5, middle)
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="Omalovánka", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    await page.keyboard.press("Escape")
    # The other pictures of the frame.
    tabs = card.get_by_role("group", name="Co zobrazit")
    await tabs.get_by_role("button", name="Fotka").click()
    await expect(card.get_by_role("slider")).to_have_count(0)
    await expect(tabs.get_by_role("button", name="SVG")).to_be_disabled()


async def test_the_viewer_chooses_approves_and_generates(visitor: Visitor, system: System) -> None:
    number, these = await colored(system, 3, 1430)
    await visitor.open_order(number)
    page, first = visitor.page, these[1]["selected_version_ids"]["coloring"]
    card = visitor.card(these[0]["id"])
    await card.get_by_role("button", name="Zobrazit na celou obrazovku").click()
    dialog = page.get_by_role("dialog")
    strip = dialog.get_by_role("navigation", name="Fotky objednávky").get_by_role("button")
    await expect(strip).to_have_count(3)
    await strip.nth(1).click()
    await expect(dialog.get_by_role("heading")).to_contain_text("2 / 3")
    # Another page arrives as a candidate; the person looks at it, chooses it and approves it.
    await page.keyboard.press("c")
    versions = dialog.get_by_role("group", name="Verze omalovánky").get_by_role("button")
    await expect(versions).to_have_count(2)
    await versions.nth(1).click()
    assert (await images(system, number))[1]["selected_version_ids"]["coloring"] == first
    await dialog.get_by_role("button", name="Vybrat v2").click()
    await expect(versions.nth(1)).to_have_attribute("aria-current", "true")
    await page.keyboard.press("a")
    await expect(dialog.locator("[data-approved]")).to_be_visible()
    image = (await images(system, number))[1]
    assert image["approved_at"]
    assert image["selected_version_ids"]["coloring"] == image["versions"]["coloring"][1]["id"]
    await page.keyboard.press("Escape")
    await expect(visitor.card(these[1]["id"])).to_be_focused()
