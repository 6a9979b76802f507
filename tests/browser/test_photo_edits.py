"""Editing a photo: turned and cropped, what coloring then gets, undone, and two operators at once."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Locator, Page, expect

from pastelka_coloring.providers.runpod.photo import UploadLimits, prepare_photo
from pastelka_common.testing.fake_runpod import image_key
from tests.browser.conftest import Arrive
from tests.browser.orders import images, images_of
from tests.browser.test_phone import too_wide
from tests.browser.visitor import DisplayOptions, Visitor
from tests.system import System

CROPPED = {"left": 0.0, "top": 0.0, "width": 0.8, "height": 1.0}
TOLERANCE = 4.0
"""Mean difference of levels between the preview and the stored photo: both are scaled, the file is a JPEG."""


async def only_image(system: System, number: str) -> Any:
    (image,) = await images(system, number)
    return image


async def file_of(system: System, url: str) -> bytes:
    async with system.http.get(url) as response:
        assert response.status == 200
        return await response.read()


async def size_of(system: System, url: str) -> tuple[int, int]:
    return Image.open(BytesIO(await file_of(system, url))).size


def editor(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Úprava fotky")


async def open_editor(visitor: Visitor, image_id: int) -> Locator:
    """Open the editor from the card; returns it once its photo is loaded."""
    await visitor.card(image_id).get_by_role("button", name="Upravit fotku").click()
    await expect(editor(visitor.page).locator("[data-crop]")).to_be_visible()
    return editor(visitor.page)


async def slide(dialog: Locator, name: str, value: float) -> None:
    await dialog.get_by_role("slider", name=name).fill(str(value))


async def save(dialog: Locator) -> None:
    await dialog.get_by_role("button", name="Uložit").click()
    await expect(dialog).to_have_count(0)


async def drag(page: Page, grip: Locator, dx: float, dy: float) -> None:
    box = await grip.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + dx / 2, y + dy / 2)
    await page.mouse.move(x + dx, y + dy)
    await page.mouse.up()


async def test_a_photo_is_edited_colored_and_restored(visit: Arrive, system: System) -> None:
    here, there = await visit(), await visit()
    order = await system.order(1, first_seed=900)
    number, image = order["order_number"], images_of(order)[0]
    original = await file_of(system, image["url"])
    for visitor in (here, there):
        await visitor.open_order(number)
    loaded = await there.loaded()
    shown_there = there.card(image["id"]).get_by_role("img", name="Fotka 1").first
    before = await shown_there.get_attribute("src")

    # By keyboard: the card, the editor, a quarter turn, the right edge of the crop.
    page = here.page
    await page.keyboard.press("j")
    await expect(here.card(image["id"])).to_be_focused()
    await page.keyboard.press("e")
    await expect(editor(page).locator("[data-crop]")).to_be_visible()
    await page.keyboard.press("r")
    await editor(page).locator("[data-grip='1,0']").focus()
    for _ in range(2):
        await page.keyboard.press("Shift+ArrowLeft")
    await page.keyboard.press("s")
    await expect(editor(page)).to_have_count(0)
    await expect(here.card(image["id"])).to_be_focused()

    edited = await only_image(system, number)
    assert edited["photo_edit"]["quarter_turns"] == 1
    assert edited["photo_edit"]["crop"] == pytest.approx(CROPPED)
    assert await size_of(system, edited["url"]) == (384, 640)
    assert edited["original_url"] == image["url"]
    assert await file_of(system, image["url"]) == original
    # The other visitor sees it without a reload.
    await expect(shown_there).not_to_have_attribute("src", before or "")
    await expect(there.card(image["id"]).get_by_role("link", name="Původní fotka")).to_be_visible()

    await here.lane(image["id"], "coloring").get_by_role("button", name="Vygenerovat omalovánku").click()
    await expect(there.badge(image["id"], "coloring")).to_have_attribute("data-status", "completed")
    # A photo this small is enlarged before it is sent.
    received = image_key(prepare_photo(await file_of(system, edited["url"]), UploadLimits()))
    assert received in {job.key for job in system.runpod.jobs.by_id.values()}

    # Undone: the original is the photo again, and the page says what it was made from.
    dialog = await open_editor(here, image["id"])
    await dialog.get_by_role("button", name="Vrátit původní fotku").click()
    await save(dialog)
    restored = await only_image(system, number)
    assert (restored["url"], "photo_edit" in restored) == (image["url"], False)
    for visitor in (here, there):
        tile = visitor.lane(image["id"], "coloring").locator("li").first
        await expect(tile).to_contain_text("z jiné podoby fotky")
        await expect(visitor.card(image["id"])).to_contain_text("Vygenerujte novou.")
    assert await there.loaded() == loaded


async def test_the_preview_is_what_is_stored(visitor: Visitor, system: System) -> None:
    order = await system.order(1, first_seed=910)
    number, image = order["order_number"], images_of(order)[0]
    await visitor.open_order(number)
    dialog = await open_editor(visitor, image["id"])
    page = visitor.page
    await dialog.get_by_role("button", name="Otočit doleva").click()
    await slide(dialog, "Narovnat", 8.5)
    await slide(dialog, "Jas", 20)
    await slide(dialog, "Kontrast", -30)
    await drag(page, dialog.locator("[data-grip='-1,-1']"), 80, 60)
    await drag(page, dialog.locator("[data-grip='0,1']"), 0, -50)
    overlay = dialog.locator("[data-crop]")
    await overlay.evaluate("element => element.style.visibility = 'hidden'")
    preview = Image.open(BytesIO(await dialog.locator("[data-shade]").screenshot())).convert("RGB")
    await overlay.evaluate("element => element.style.visibility = ''")
    await save(dialog)

    edited = await only_image(system, number)
    assert edited["photo_edit"]["straighten"] == 8.5
    stored = Image.open(BytesIO(await file_of(system, edited["url"]))).convert("RGB")
    # At half the size, so that the two ways of scaling differ little.
    size = (stored.width // 2, stored.height // 2)
    first, second = (
        np.asarray(picture.resize(size, Image.Resampling.BOX), dtype=float) for picture in (preview, stored)
    )
    difference = float(np.abs(first - second).mean())
    assert difference < TOLERANCE, difference
    # The measure notices a photo that is turned by two more degrees.
    other = np.asarray(
        preview.rotate(2, Image.Resampling.BICUBIC).resize(size, Image.Resampling.BOX), dtype=float
    )
    assert float(np.abs(other - second).mean()) > TOLERANCE


async def test_of_two_operators_one_gets_the_conflict_and_loses_nothing(
    visit: Arrive, system: System
) -> None:
    here, there = await visit(), await visit()
    order = await system.order(1, first_seed=920)
    number, image = order["order_number"], images_of(order)[0]
    for visitor in (here, there):
        await visitor.open_order(number)
    mine, theirs = await open_editor(here, image["id"]), await open_editor(there, image["id"])
    await slide(mine, "Jas", 12)
    await theirs.get_by_role("button", name="Otočit doprava").click()
    await save(theirs)

    here.watch.announce(r"PATCH .*/edit: 412")
    await mine.get_by_role("button", name="Uložit úpravu").click()
    await expect(mine.get_by_role("alert")).to_contain_text("Fotku mezitím upravil někdo jiný")
    await expect(mine.get_by_role("slider", name="Jas")).to_have_value("12")
    assert (await only_image(system, number))["photo_edit"]["quarter_turns"] == 1
    await mine.get_by_role("button", name="Uložit tuto úpravu").click()
    await expect(mine).to_have_count(0)
    edit = (await only_image(system, number))["photo_edit"]
    assert (edit["quarter_turns"], edit["brightness"]) == (0, 12)


async def test_the_photo_of_an_approved_page_is_not_edited(visitor: Visitor, system: System) -> None:
    order = await system.order(1, process="coloring", first_seed=930)
    number, image = order["order_number"], images_of(order)[0]
    await visitor.open_order(number)
    await expect(visitor.badge(image["id"], "coloring")).to_have_attribute("data-status", "completed")
    await visitor.card(image["id"]).get_by_role("button", name="Schválit v1").click()
    await expect(visitor.card(image["id"]).locator("[data-approved]")).to_be_visible()
    # The button is not offered, but it can be pressed, and says why.
    button = visitor.card(image["id"]).get_by_role("button", name="Upravit fotku")
    await button.dispatch_event("click")
    await expect(visitor.page.get_by_text("Nejdřív schválení zrušte.").first).to_be_visible()
    await expect(editor(visitor.page)).to_have_count(0)
    await visitor.card(image["id"]).get_by_role("button", name="Zrušit schválení").click()
    await open_editor(visitor, image["id"])


async def test_the_viewer_opens_the_editor_and_gets_the_focus_back(visitor: Visitor, system: System) -> None:
    order = await system.order(1, first_seed=940)
    image = images_of(order)[0]
    await visitor.open_order(order["order_number"])
    page = visitor.page
    await visitor.card(image["id"]).get_by_role("button", name="Zobrazit na celou obrazovku").first.click()
    await expect(page.locator("[data-sheet=true]")).to_be_visible()
    await page.keyboard.press("e")
    await expect(editor(page).locator("[data-crop]")).to_be_visible()
    await page.keyboard.press("l")
    await page.keyboard.press("s")
    await expect(editor(page)).to_have_count(0)
    # The viewer shows the edited photo, and takes its keys.
    await expect(page.locator("[data-sheet=true] img").last).not_to_have_attribute("src", image["url"])
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), [(375, 780), (768, 1024)])
async def test_a_photo_is_edited_by_touch(visit: Arrive, system: System, width: int, height: int) -> None:
    visitor = await visit(DisplayOptions(width=width, height=height, touch=True))
    order = await system.order(1, first_seed=950)
    number, image = order["order_number"], images_of(order)[0]
    await visitor.open_order(number)
    await visitor.card(image["id"]).get_by_role("button", name="Upravit fotku").tap()
    dialog = editor(visitor.page)
    await expect(dialog.locator("[data-crop]")).to_be_visible()
    # Everything is on the screen: the photo with its handles, the first tools, and the title.
    for part in (
        dialog.locator("[data-crop]"),
        dialog.locator("[data-grip='1,1']"),
        dialog.get_by_role("button", name="Otočit doprava"),
    ):
        await expect(part).to_be_in_viewport(ratio=0.9)
    found = [one for one in await too_wide(visitor) if not one.startswith("the page was laid out")]
    assert found == []
    await touch_drag(visitor, dialog.locator("[data-grip='1,1']"), -60, -40)
    await dialog.get_by_role("button", name="Otočit doprava").tap()
    await dialog.get_by_role("button", name="Uložit úpravu").tap()
    await expect(dialog).to_have_count(0)
    edit = (await only_image(system, number))["photo_edit"]
    assert edit["quarter_turns"] == 1
    assert edit["crop"]["left"] > 0.05
    assert edit["crop"]["height"] < 0.95


async def touch_drag(visitor: Visitor, grip: Locator, dx: float, dy: float) -> None:
    """Drag with one finger, by the browser's own touch events."""
    box = await grip.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = await visitor.context.new_cdp_session(visitor.page)
    for kind, points in (
        ("touchStart", [{"x": x, "y": y}]),
        ("touchMove", [{"x": x + dx / 2, "y": y + dy / 2}]),
        ("touchMove", [{"x": x + dx, "y": y + dy}]),
        ("touchEnd", []),
    ):
        await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    await session.detach()
