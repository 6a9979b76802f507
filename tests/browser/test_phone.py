"""The dashboard at the width of a phone, by touch."""

from playwright.async_api import FilePayload, expect

from pastelka_local.testing.stack import photo
from tests.browser.catalogue import words
from tests.browser.conftest import Arrive
from tests.browser.orders import images
from tests.browser.scenes import order_with_everything, scenes
from tests.browser.test_pictures import box
from tests.browser.visitor import DisplayOptions, Visitor
from tests.system import System

PHONE = DisplayOptions(width=375, height=780, touch=True)
# Elements that overflow the page, with names to find them.
_TOO_WIDE = """() => {
  scrollTo(10_000, scrollY);
  const moved = scrollX;
  scrollTo(0, scrollY);
  const width = document.documentElement.scrollWidth;
  if (moved === 0 && width <= innerWidth) return [];
  const wide = [...document.querySelectorAll("main *, header *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1);
  return [`the page is ${width} px wide, ${innerWidth} px are seen`,
    ...wide.slice(0, 5).map((element) => element.outerHTML.slice(0, 120))];
}"""


async def too_wide(visitor: Visitor) -> list[str]:
    """Elements that make the page wider than the screen."""
    found: list[str] = await visitor.page.evaluate(_TOO_WIDE)
    # A page laid out wider and then scaled down would only seem to fit.
    if (width := await visitor.page.evaluate("innerWidth")) != PHONE.width:
        found.append(f"the page was laid out for {width} px")
    return found


async def fits(visitor: Visitor) -> None:
    assert await too_wide(visitor) == [], visitor.page.url


async def test_main_job_by_touch(visit: Arrive, system: System) -> None:
    visitor = await visit(PHONE)
    page = visitor.page
    await visitor.open()
    await visitor.until_light("live")
    await page.get_by_role("button", name="Nová objednávka").tap()
    dialog = page.get_by_role("dialog")
    async with page.expect_file_chooser() as choosing:
        await dialog.get_by_role("button", name="Vybrat fotky").tap()
    files = [
        FilePayload(name=f"{seed}.jpg", mimeType="image/jpeg", buffer=photo(seed)) for seed in (500, 501)
    ]
    await (await choosing.value).set_files(files)
    await expect(dialog.get_by_text("2 fotky")).to_be_visible()
    await fits(visitor)
    await dialog.get_by_text("Jen uložit").tap()
    await dialog.get_by_role("button", name="Vytvořit objednávku").tap()
    await page.wait_for_url("**/orders/*")
    number = page.url.rsplit("/", 1)[1]
    await expect(page.locator("main h1")).to_contain_text(number)
    await expect(page.locator("article[data-image]")).to_have_count(2)
    these = [image["id"] for image in await images(system, number)]
    await fits(visitor)

    await page.get_by_role("button", name="Vygenerovat omalovánky").tap()
    await expect(page.get_by_role("dialog")).to_contain_text("2 omalovánky")
    await fits(visitor)
    await visitor.confirm_cost()
    for image in these:
        await expect(visitor.badge(image, "coloring")).to_have_attribute("data-status", "completed")
    await fits(visitor)
    await visitor.lane(these[0], "coloring").get_by_role("button", name="Nová omalovánka").tap()
    await expect(visitor.badge(these[0], "coloring", 2)).to_have_attribute("data-status", "completed")
    for version in (2, 1):
        await visitor.choose(these[0], "coloring", version)
    await fits(visitor)
    await page.get_by_role("button", name="Vygenerovat SVG", exact=True).first.tap()
    await visitor.confirm_cost()
    for image in these:
        await expect(visitor.badge(image, "svg")).to_have_attribute("data-status", "completed")
    await fits(visitor)
    await visitor.card(these[0]).get_by_role("button", name="Zobrazit na celou obrazovku").first.tap()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await fits(visitor)
    await page.get_by_role("dialog").get_by_role("button", name="Zavřít").tap()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_no_page_scrolls_horizontally(visit: Arrive, system: System) -> None:
    order = await order_with_everything(system, 510)
    visitor = await visit(PHONE)
    found: list[str] = []
    async for scene in scenes(visitor, words("cs"), order):
        found += [f"{scene}: {finding}" for finding in await too_wide(visitor)]
    assert not found, "\n".join(found)


async def test_the_first_picture_of_an_order_is_in_the_upper_half(visit: Arrive, system: System) -> None:
    order = await order_with_everything(system, 520)
    visitor = await visit(PHONE)
    await visitor.open_order(order["order_number"])
    page = visitor.page
    picture = page.locator("article[data-image] img").first
    await expect(picture).to_be_visible()
    assert (await box(picture))["top"] < PHONE.height / 2
    history = page.get_by_role("button", name="Historie", exact=True)
    await expect(history).to_be_hidden()
    details = page.get_by_role("button", name="Podrobnosti a\u00a0akce")
    await details.tap()
    await expect(details).to_have_attribute("aria-expanded", "true")
    for name in ("Historie", "Kniha", "Export", "Smazat"):
        await expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()
    await fits(visitor)
    await history.tap()
    await expect(page.get_by_role("dialog")).to_contain_text("Historie")
