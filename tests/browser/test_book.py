"""The printed book: sheets, options, preflight, what it is made of; books of several orders."""

import re
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from playwright.async_api import Locator, Page, expect

from pastelka_common.testing.waiting import until
from pastelka_local.testing.stack import photo
from tests.browser.conftest import Arrive
from tests.browser.keyboard import Keyboard
from tests.browser.orders import images, images_of
from tests.browser.visitor import Visitor
from tests.system import System

A4 = (210, 297)
CUSTOM = (200, 180)


async def colored(system: System, photos: int, seed: int) -> Any:
    """An order of which every photo has a chosen page and SVG."""
    order = await system.order(photos, process="svg", first_seed=seed)
    number = order["order_number"]

    async def is_done() -> bool:
        return all(one["selected_version_ids"]["svg"] for one in await images(system, number))

    done: bool = await until(is_done, 90)
    assert done
    return await system.get(f"/orders/{number}")


async def open_book(visitor: Visitor, number: str) -> Locator:
    """The dialog with the book of an order."""
    await visitor.open_order(number)
    await visitor.page.get_by_role("button", name="Kniha", exact=True).click()
    dialog = visitor.page.get_by_role("dialog", name=f"Kniha objednávky {number}")
    await expect(dialog.get_by_role("combobox", name="Papír")).to_be_visible()
    return dialog


async def sheets(dialog: Locator, version: int, count: int) -> list[tuple[int, int]]:
    """Pixels of the previews of a version, once all are loaded."""
    pictures = dialog.get_by_role("list", name=f"Archy verze {version}").get_by_role("img")
    await expect(pictures).to_have_count(count)
    sizes = []
    for picture in await pictures.all():
        await picture.scroll_into_view_if_needed()
        await expect(picture).to_have_js_property("complete", value=True)
        width, height = await picture.evaluate("one => [one.naturalWidth, one.naturalHeight]")
        assert width > 100, await picture.get_attribute("src")
        sizes.append((width, height))
    return sizes


async def printed_size(page: Page, button: Locator) -> tuple[list[tuple[int, int]], str]:
    """Millimeters of each page of the PDF that a button downloads, and the file's name."""
    async with page.expect_download() as download:
        await button.click()
    file = await download.value
    with pikepdf.open(Path(await file.path())) as pdf:
        boxes = [[float(side) for side in found.trimbox] for found in pdf.pages]
    return [(round(b[2] / 72 * 25.4), round(b[3] / 72 * 25.4)) for b in boxes], file.suggested_filename


async def test_a_book_is_looked_at_changed_downloaded_and_marked(visitor: Visitor, system: System) -> None:
    order = await colored(system, 2, 1000)
    number, page = order["order_number"], visitor.page
    dialog = await open_book(visitor, number)
    await expect(dialog.get_by_text("Všechno je v pořádku.")).to_be_visible()
    await dialog.get_by_role("button", name="Sestavit knihu").click()
    before = await sheets(dialog, 1, 4)
    assert before == [(396, 560)] * 4
    download = dialog.get_by_role("button", name="Stáhnout PDF")
    assert await printed_size(page, download) == ([A4] * 4, f"{number}-print.pdf")

    await dialog.get_by_role("combobox", name="Papír").select_option("custom")
    await dialog.get_by_role("spinbutton", name="Šířka (mm)").fill(str(CUSTOM[0]))
    await dialog.get_by_role("spinbutton", name="Výška (mm)").fill(str(CUSTOM[1]))
    await dialog.get_by_role("combobox", name="Orientace").select_option("landscape")
    wanted = {"width_mm": CUSTOM[0], "height_mm": CUSTOM[1], "orientation": "landscape"}
    newest = max(book["version"] for book in await until_composed(system, number, **wanted))
    after = await sheets(dialog, newest, 4)
    assert after == [(560, 504)] * 4
    assert await printed_size(page, download) == ([CUSTOM] * 4, f"{number}-print.pdf")

    await dialog.get_by_role("button", name="Označit jako vytištěnou").click()
    await expect(dialog.get_by_text(re.compile("^Vytištěno "))).to_be_visible()
    assert (await system.get(f"/orders/{number}/books"))[0]["printed_at"] is not None
    # The choice is remembered, also for the next order; the older version is still there.
    await page.reload()
    dialog = await open_book(visitor, number)
    await expect(dialog.get_by_role("spinbutton", name="Šířka (mm)")).to_have_value(str(CUSTOM[0]))
    await dialog.get_by_role("combobox", name="Verze").select_option("1")
    assert await sheets(dialog, 1, 4) == before


async def until_composed(system: System, number: str, **options: Any) -> Any:
    """The versions of an order's book, once the newest has these options and is completed."""

    async def composed() -> Any:
        books = await system.get(f"/orders/{number}/books")
        newest = books[0]
        is_it = all(newest["options"][name] == value for name, value in options.items())
        return books if is_it and newest["status"] == "completed" else None

    return await until(composed, 60)


async def test_errors_of_the_preflight_lead_to_the_photo_and_stop_the_book(
    visitor: Visitor, system: System
) -> None:
    order = await system.order(2, first_seed=1010)
    number, (first, second) = order["order_number"], images_of(order)
    await system.post(f"/images/{first['id']}/generate-coloring")
    await visitor.open_order(number)
    await expect(visitor.badge(first["id"], "coloring")).to_have_attribute("data-status", "completed")
    dialog = await open_book(visitor, number)
    await expect(dialog.locator("[data-finding=no_chosen_page]")).to_contain_text("U fotky 2 není vybraná")
    await expect(dialog.locator("[data-finding=low_resolution]")).to_contain_text("body na palec")
    await expect(dialog.get_by_role("button", name="Sestavit knihu")).to_have_count(0)
    await dialog.locator("[data-finding=no_chosen_page]").get_by_role("button").click()
    await expect(dialog).to_have_count(0)
    await expect(visitor.card(second["id"])).to_be_focused()
    await expect(visitor.card(second["id"])).to_be_in_viewport()

    dialog = await open_book(visitor, number)
    await dialog.get_by_role("button", name="Sestavit i s chybami").click()
    question = visitor.page.get_by_role("dialog", name="Sestavit knihu i s chybami?")
    await question.get_by_role("button", name="Sestavit s chybami").click()
    await sheets(dialog, 1, 2)


async def test_a_line_item_that_two_people_edit_is_not_overwritten(visit: Arrive, system: System) -> None:
    order = await system.order(1, first_seed=1020)
    number, item = order["order_number"], order["line_items"][0]
    mine, theirs = await visit(), await visit()
    for visitor in (mine, theirs):
        await visitor.open_order(number)
        await visitor.page.get_by_role("button", name=re.compile("^Upravit položku")).click()
    form = theirs.page.get_by_role("form", name="Upravit")
    await form.get_by_label("Název").fill("Pro Elišku")
    await form.get_by_label("Počet kusů").fill("4")
    await form.get_by_role("button", name="Uložit").click()
    # The other person sees it at once, behind the open form.
    await expect(mine.page.get_by_role("heading", name=re.compile("^Pro Elišku . 4$"))).to_be_visible()

    form = mine.page.get_by_role("form", name="Upravit")
    await form.get_by_label("Název").fill("Pro Aničku")
    await form.get_by_label("Věnování").fill("„Milé Aničce“\nod babičky")
    await form.get_by_label("Rozvržení").select_option("two")
    mine.watch.announce(r"/line-items/\d+: 412")
    await form.get_by_role("button", name="Uložit").click()
    conflict = form.get_by_role("alert")
    await expect(conflict).to_contain_text("Název: Pro Elišku")
    await expect(conflict).to_contain_text("Počet kusů: 4")
    await form.get_by_role("button", name="Uložit moje").click()
    for visitor in (mine, theirs):
        await expect(visitor.page.get_by_role("heading", name=re.compile("^Pro Aničku . 4$"))).to_be_visible()
    changed = (await system.get(f"/orders/{number}"))["line_items"][0]
    assert (changed["dedication"], changed["layout"], changed["id"]) == (
        "„Milé Aničce“\nod babičky",
        "two",
        item["id"],
    )


async def test_what_the_shop_changed_later_is_marked(visitor: Visitor, system: System) -> None:
    order = await system.order(1, first_seed=1030)
    item = order["line_items"][0]["id"]
    await system.sql(
        'UPDATE line_items SET shop_values = \'{"dedication": "Z obchodu"}\', shop_changed_at = now(),'
        " shopify_line_item_id = 77001, dedication = 'Odtud' WHERE id = $1",
        item,
    )
    await visitor.open_order(order["order_number"])
    mark = visitor.page.locator("[data-shop-values=newer]")
    await expect(mark).to_contain_text("Věnování: Z obchodu")
    await mark.get_by_role("button", name="Použít hodnoty z obchodu").click()
    await expect(mark).to_have_count(0)
    await expect(visitor.page.get_by_text("Z obchodu", exact=True)).to_be_visible()


async def test_exports_are_a_menu_for_the_keyboard(visitor: Visitor, system: System) -> None:
    order = await colored(system, 1, 1040)
    keys, page = Keyboard(visitor), visitor.page
    await visitor.open_order(order["order_number"])
    menu = page.get_by_role("button", name="Export")
    await keys.tab_to(menu)
    await keys.press("Enter")
    items = page.get_by_role("menuitem")
    await expect(items).to_have_text(["PDF k tisku1", "Omalovánky ZIP1", "SVG ZIP1", "Fotky ZIP1"])
    await expect(items.first).to_be_focused()
    await keys.press("ArrowDown")
    await expect(items.nth(1)).to_be_focused()
    await keys.press("Escape")
    await expect(items).to_have_count(0)
    await expect(menu).to_be_focused()
    await keys.press("Enter")
    await expect(items.first).to_be_focused()
    await keys.press("End")
    await expect(items.last).to_be_focused()
    async with page.expect_download() as download:
        await keys.press("Enter")
    assert (await download.value).suggested_filename == f"{order['order_number']}-photos.zip"


async def test_esc_right_after_the_help_closes_only_the_help(visitor: Visitor, system: System) -> None:
    order = await colored(system, 1, 1045)
    page = visitor.page
    await visitor.open_order(order["order_number"])
    await page.get_by_role("button", name="Kniha", exact=True).click()
    await expect(page.get_by_role("dialog")).to_have_count(1)
    help_dialog = page.get_by_role("dialog", name="Klávesové zkratky")
    for _ in range(5):
        await page.keyboard.press("?")
        await expect(help_dialog).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(help_dialog).to_have_count(0)
        await expect(page.get_by_role("dialog")).to_have_count(1)


async def test_books_of_the_selected_orders_are_one_pdf(visitor: Visitor, system: System) -> None:
    ready = [await colored(system, photos, 1050 + photos) for photos in (1, 2)]
    empty = await system.order(1, first_seed=1060)
    page = visitor.page
    await visitor.open()
    await visitor.until_light("live")
    for order in (*ready, empty):
        await page.get_by_role("checkbox", name=f"Vybrat objednávku {order['order_number']}").check()
    visitor.watch.announce(r"/books\?force=false: 409")
    await page.get_by_role("button", name="Knihy", exact=True).click()
    toasts = page.get_by_role("region", name="Oznámení")
    await expect(toasts).to_contain_text("Kontrola před tiskem našla chyby, kniha se nesestavila.")
    await expect(toasts).to_contain_text(empty["order_number"])
    await expect(toasts).to_contain_text("PDF s knihami 2 objednávek je připravené.")
    pages, name = await printed_size(page, toasts.get_by_role("button", name="Stáhnout"))
    # Of each order a separator with a blank back, then the cover and its pages: an even number.
    assert (len(pages), set(pages), name) == (2 + 2 + 2 + 4, {A4}, "books.pdf")
    # What is not in the PDF stays selected.
    await expect(page.get_by_text("1 vybraná")).to_be_visible()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE orders SET cancelled_at = now() WHERE id = $1",
        "UPDATE line_items SET quantity = 0 WHERE order_id = $1",
    ],
)
async def test_what_the_shop_took_back_is_shown_and_offers_nothing(
    visitor: Visitor, system: System, change: str
) -> None:
    order = await system.order(1, first_seed=1070)
    await system.sql(change, order["id"])
    await visitor.open_order(order["order_number"])
    sign = "Zrušena v obchodě" if "cancelled" in change else "Odebráno z objednávky"
    await expect(visitor.page.get_by_text(sign).first).to_be_visible()
    for name in ("Kniha", "Export", "Vygenerovat omalovánky", "Vygenerovat SVG"):
        await expect(visitor.page.get_by_role("button", name=name, exact=True)).to_have_count(0)


async def test_what_a_book_is_made_of_is_given_with_its_photos(visitor: Visitor, system: System) -> None:
    page = visitor.page
    await visitor.open()
    await visitor.until_light("live")
    await visitor.drop(photo(1080))
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Název").fill("Pro Aničku")
    await dialog.get_by_label("Počet kusů").fill("3")
    await dialog.get_by_label("Věnování").fill("„Ahoj“")
    await dialog.get_by_label("Rozvržení").select_option("four")
    await dialog.get_by_text("Jen uložit").click()
    await dialog.get_by_role("button", name="Vytvořit objednávku").click()
    await page.wait_for_url("**/orders/*")
    await expect(page.get_by_role("heading", name=re.compile("^Pro Aničku . 3$"))).to_be_visible()
    number = page.url.rsplit("/", 1)[1]
    (item,) = (await system.get(f"/orders/{number}"))["line_items"]
    assert (item["title"], item["quantity"], item["dedication"], item["layout"]) == (
        "Pro Aničku",
        3,
        "„Ahoj“",
        "four",
    )
