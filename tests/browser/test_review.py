"""The review: one page after another over all orders, by keyboard and by touch."""

import asyncio
import re
from statistics import median
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Locator, Page, Route, expect

from pastelka_common.testing.waiting import until
from pastelka_local.testing.stack import photo
from tests.browser.conftest import Arrive
from tests.browser.keyboard import COUNT_POINTERS
from tests.browser.orders import images, images_of
from tests.browser.password_gateway import PasswordGateway, enter
from tests.browser.test_phone import PHONE, too_wide
from tests.browser.visitor import DisplayOptions, Visitor
from tests.system import System

# From a key to the first frame in which another image is on screen, and to the one in which its pictures are
# loaded, in ms.
_MEASURE = """addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.closest("[role=dialog]")) return;
  const began = performance.now();
  const shown = () => document.querySelector("main[data-image]")?.dataset.image;
  const before = shown();
  let changed;
  const look = () => {
    const now = performance.now() - began;
    if (now > 5000) return;
    if (shown() !== undefined && shown() !== before) {
      changed ??= now;
      const pictures = [...document.querySelectorAll("[data-sheet] > img:last-child")];
      if (pictures.every((one) => one.complete && one.naturalWidth > 0))
        return void (window.turns ??= []).push([changed, now]);
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}, true);"""


async def colored(system: System, photos: int, first_seed: int, customer: str) -> str:
    """The number of an order of a customer whose photos have a page."""
    form = aiohttp.FormData()
    for n in range(photos):
        form.add_field("photos", photo(first_seed + n), filename=f"{n}.jpg", content_type="image/jpeg")
    form.add_field("customer_name", customer)
    form.add_field("process", "coloring")
    async with system.http.post(f"{system.stack.api_url}/orders", data=form) as response:
        number: str = (await response.json())["order_number"]

    async def done() -> bool:
        return all(image["selected_version_ids"]["coloring"] for image in await images(system, number))

    met: bool = await until(done, 120)
    assert met
    return number


async def ids_of(system: System, number: str) -> list[int]:
    return [image["id"] for image in await images(system, number)]


async def image_of(system: System, number: str, image_id: int) -> Any:
    return await system.get(f"/orders/{number}/images/{image_id}")


async def until_image(system: System, number: str, image_id: int, field: str) -> Any:
    """The image as soon as the API has the field."""

    async def there() -> Any:
        image = await image_of(system, number, image_id)
        return image if image.get(field) else None

    return await until(there, 30)


async def shows(page: Page, image_id: int) -> None:
    """Wait until an image is on screen with its pictures."""
    await expect(page.locator("main")).to_have_attribute("data-image", str(image_id))
    await expect(page.locator("[data-sheet=false]")).to_have_count(0)


def candidates(page: Page) -> Locator:
    return page.locator("button[data-candidate]")


async def open_review(visitor: Visitor, query: str) -> None:
    await visitor.open(f"/review?{query}")
    await expect(visitor.page.locator("main[data-image]")).to_be_visible()
    await visitor.until_light("live")


async def hold(page: Page, url: str, release: asyncio.Event, method: str) -> None:
    """Hold requests of the page until the event."""

    async def late(route: Route) -> None:
        if route.request.method == method:
            await release.wait()
        await route.continue_()

    await page.route(url, late)


async def undo_the_first(visitor: Visitor, system: System, number: str, ids: list[int]) -> None:
    """Approve the first page, undo that, and approve it again."""
    page = visitor.page
    await shows(page, ids[0])
    await page.keyboard.press("Enter")
    await shows(page, ids[1])
    await expect(page.locator("[data-left]")).to_have_attribute("data-left", "39")
    await until_image(system, number, ids[0], "approved_at")
    await page.keyboard.press("u")
    await shows(page, ids[0])
    await expect(page.locator("[data-left]")).to_have_attribute("data-left", "40")
    assert await visitor.until(lambda: is_open(system, number, ids[0]))
    await page.keyboard.press("Enter")
    await shows(page, ids[1])


async def is_open(system: System, number: str, image_id: int) -> bool:
    return (await image_of(system, number, image_id)).get("approved_at") is None


async def pick_another(page: Page, image_id: int) -> None:
    """Make another candidate, and approve it."""
    await page.keyboard.press("q")
    await expect(candidates(page)).to_have_count(2)
    # The service has chosen it, but it is not approved before it is picked.
    await expect(candidates(page).nth(0)).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("2")
    await expect(candidates(page).nth(1)).to_have_attribute("aria-pressed", "true")
    await shows(page, image_id)
    await page.keyboard.press("Enter")


async def send_back(page: Page, reason: str) -> None:
    await page.keyboard.press("x")
    await expect(page.get_by_role("dialog").get_by_label("Důvod")).to_be_focused()
    await page.keyboard.type(reason)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.timeout(400)
async def test_forty_pages_by_keyboard_alone(visitor: Visitor, system: System) -> None:
    number = await colored(system, 40, 2000, "Marek")
    ids = await ids_of(system, number)
    await visitor.context.add_init_script(COUNT_POINTERS)
    await visitor.context.add_init_script(_MEASURE)
    await open_review(visitor, f"q={number}")
    page = visitor.page
    loaded = await visitor.loaded()
    await expect(page.locator("[data-left]")).to_have_attribute("data-left", "40")
    await undo_the_first(visitor, system, number, ids)
    await pick_another(page, ids[1])
    await shows(page, ids[2])
    await send_back(page, "Dva nosy")
    for image_id in ids[3:]:
        await shows(page, image_id)
        await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Vše je zkontrolované")).to_be_visible()
    await expect(page.locator("[data-left]")).to_have_attribute("data-left", "0")

    await until_image(system, number, ids[39], "approved_at")
    after = await images(system, number)
    assert [image["id"] for image in after if not image.get("approved_at")] == [ids[2]]
    assert after[2]["rework_reason"] == "Dva nosy"
    assert after[2]["selected_version_ids"]["coloring"] is None
    assert after[1]["selected_version_ids"]["coloring"] == after[1]["versions"]["coloring"][1]["id"]
    # Without a mouse, and without a reload.
    assert await page.evaluate("window.pointers") == 0
    assert await visitor.loaded() == loaded
    # The next pictures were loaded in advance: most are there with the first frame of their image.
    turns: list[tuple[float, float]] = await page.evaluate("window.turns")
    late = [whole - changed for changed, whole in turns if whole > changed]
    print(f"next picture after {median(whole for _, whole in turns):.0f} ms; late: {late}")
    assert len(turns) >= 38
    assert len(late) <= 5
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("table")).to_be_visible()


async def test_orders_are_turned_and_what_is_passed_by_remains(visitor: Visitor, system: System) -> None:
    older = await colored(system, 2, 2050, "Pokorny")
    newer = await colored(system, 1, 2055, "Pokorny")
    [first], [second, third] = await ids_of(system, newer), await ids_of(system, older)
    await open_review(visitor, "q=Pokorny")
    page = visitor.page
    await shows(page, first)
    await page.keyboard.press("BracketRight")
    await shows(page, second)
    await expect(page.get_by_role("heading", name=older)).to_be_visible()
    await page.keyboard.press("BracketLeft")
    await shows(page, first)
    for key, image_id in (("ArrowRight", second), ("ArrowRight", third), ("ArrowLeft", second)):
        await page.keyboard.press(key)
        await shows(page, image_id)
    # The last of the older order, then what was passed by, in the newer one.
    for expected in (third, first):
        await page.keyboard.press("Enter")
        await shows(page, expected)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Vše je zkontrolované")).to_be_visible()
    await page.keyboard.press("u")
    await shows(page, first)
    await expect(page.locator("[data-left]")).to_have_attribute("data-left", "1")


async def test_all_pictures_zoom_together(visitor: Visitor, system: System) -> None:
    number = await colored(system, 1, 2060, "Urban")
    await open_review(visitor, f"from={number}")
    page = visitor.page
    await page.keyboard.press("q")
    await expect(candidates(page)).to_have_count(2)
    await expect(page.locator("[data-sheet=true]")).to_have_count(3)
    box = await page.locator("[data-sheet]").first.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    await page.mouse.wheel(0, -600)
    # Offsets are relative to the width of each picture: all show the same part.
    parts = """() => [...document.querySelectorAll("[data-sheet]")].map((sheet) => {
      const { a, e, f } = new DOMMatrix(getComputedStyle(sheet).transform);
      return [a, e / sheet.offsetWidth, f / sheet.offsetWidth];
    })"""

    async def zoomed() -> list[list[float]] | None:
        found: list[list[float]] = await page.evaluate(parts)
        return found if found[0][0] > 1 else None

    photo_part, *others = await visitor.until(zoomed)
    assert len(others) == 2
    for part in others:
        assert part == pytest.approx(photo_part, abs=0.02)
    await page.keyboard.press("0")
    assert await visitor.until(lambda: page.evaluate(f"({parts})().every(([scale]) => scale === 1)"))


async def test_one_approves_while_another_makes_a_candidate(visit: Arrive, system: System) -> None:
    here, there = await visit(), await visit()
    number = await colored(system, 1, 2065, "Kolar")
    [image_id] = await ids_of(system, number)
    for visitor in (here, there):
        await open_review(visitor, f"from={number}")
        await shows(visitor.page, image_id)
    await there.page.keyboard.press("f")
    await expect(candidates(here.page)).to_have_count(2)
    await expect(candidates(there.page)).to_have_count(2)
    # What arrives is not approved without a look: the first page is still the picked one.
    await expect(candidates(here.page).nth(0)).to_have_attribute("aria-pressed", "true")
    await here.page.keyboard.press("Enter")
    first = (await until_image(system, number, image_id, "approved_at"))["versions"]["coloring"][0]["id"]
    await expect(there.page.locator("[data-approved]")).to_be_visible()
    await expect(candidates(there.page)).to_have_count(0)
    await there.page.keyboard.press("2")
    await there.page.keyboard.press("x")
    await expect(there.page.get_by_role("dialog")).to_have_count(0)
    after = await image_of(system, number, image_id)
    assert after["selected_version_ids"]["coloring"] == first


async def test_a_decision_that_the_server_refuses_is_shown_again(visitor: Visitor, system: System) -> None:
    number = await colored(system, 2, 2070, "Vesely")
    image_id, other = await ids_of(system, number)
    await open_review(visitor, f"from={number}")
    page = visitor.page
    await shows(page, image_id)
    await page.keyboard.press("q")
    await expect(candidates(page)).to_have_count(2)
    first, second = (await image_of(system, number, image_id))["versions"]["coloring"]
    visitor.watch.announce(r"/approve: 409")

    async def overtake(route: Route) -> None:
        await system.post(f"/images/{image_id}/approve", {"coloring_version_id": first["id"]})
        await route.continue_()

    await page.route(f"**/images/{image_id}/approve", overtake)
    await page.keyboard.press("2")
    await page.keyboard.press("Enter")
    await shows(page, other)
    toast = page.get_by_role("region", name="Oznámení").get_by_role("listitem")
    await expect(toast).to_contain_text("Omalovánka je schválená.")
    await toast.get_by_role("button", name="Ukázat").click()
    await shows(page, image_id)
    await expect(page.locator("[data-approved]")).to_be_visible()
    after = await image_of(system, number, image_id)
    assert after["selected_version_ids"]["coloring"] == first["id"] != second["id"]
    # Nothing is left to undo.
    await expect(page.get_by_role("button", name="Vrátit zpět")).to_be_disabled()


async def test_an_older_answer_does_not_show_an_undone_approval_again(
    visitor: Visitor, system: System
) -> None:
    number = await colored(system, 2, 2074, "Kadlec")
    first, second = await ids_of(system, number)
    await open_review(visitor, f"q={number}")
    page = visitor.page
    await shows(page, first)
    await page.keyboard.press("Enter")
    await shows(page, second)
    await until_image(system, number, first, "approved_at")
    is_read = asyncio.Event()
    await hold(page, f"**/images/{first}/approve", is_read, "DELETE")
    await page.keyboard.press("u")
    await shows(page, first)
    # Until the approval is lifted, the server says that the page is approved.
    [version] = (await image_of(system, number, second))["versions"]["coloring"]
    async with page.expect_response(f"**/api/v1/orders/{number}"):
        await system.post(f"/images/{second}/approve", {"coloring_version_id": version["id"]})
    await expect(page.locator("[data-left]")).to_have_attribute("data-left", "1")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Vše je zkontrolované")).to_be_visible()
    is_read.set()
    await until_image(system, number, first, "approved_at")


async def test_a_key_before_the_presets_are_loaded_makes_a_candidate(
    visitor: Visitor, system: System
) -> None:
    number = await colored(system, 1, 2077, "Ruzicka")
    [image_id] = await ids_of(system, number)
    page, is_pressed = visitor.page, asyncio.Event()
    await hold(page, "**/api/v1/presets", is_pressed, "GET")
    await open_review(visitor, f"from={number}")
    await shows(page, image_id)
    await page.keyboard.press("q")
    is_pressed.set()
    await expect(candidates(page)).to_have_count(2)


@pytest.mark.parametrize("look", [PHONE, DisplayOptions(width=768, height=1024, touch=True)])
async def test_by_touch(visit: Arrive, system: System, look: DisplayOptions) -> None:
    visitor = await visit(look)
    page = visitor.page
    number = await colored(system, 2, 2080 + look.width, "Benes")
    first, second = await ids_of(system, number)
    await visitor.open_order(number)
    await page.get_by_role("link", name="Zkontrolovat (2)").tap()
    await shows(page, first)
    await page.get_by_role("button", name="Další kandidát: rychlá").tap()
    await expect(candidates(page)).to_have_count(2)
    await candidates(page).nth(1).tap()
    await expect(candidates(page).nth(1)).to_have_attribute("aria-pressed", "true")
    if look.width == PHONE.width:
        assert await too_wide(visitor) == []
    approve = page.get_by_role("button", name="Schválit v2")
    await expect(approve).to_be_in_viewport(ratio=1)
    await approve.tap()
    await shows(page, second)
    await page.get_by_role("button", name="Vrátit", exact=True).tap()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Důvod").fill("Chybí ucho")
    await dialog.get_by_role("button", name="Vrátit").tap()
    sent_back = await until_image(system, number, second, "rework_reason")
    assert sent_back["rework_reason"] == "Chybí ucho"
    approved = await image_of(system, number, first)
    assert approved["selected_version_ids"]["coloring"] == approved["versions"]["coloring"][1]["id"]


async def test_a_viewer_is_offered_nothing(
    visit: Arrive, system: System, password_gateway: PasswordGateway
) -> None:
    order = await colored(system, 2, 2090, "Sykora")
    name = await password_gateway.user("viewer")
    visitor = await visit(at=password_gateway.url)
    page = visitor.page
    await enter(visitor, name)
    await expect(page.get_by_role("link", name="Kontrola")).to_have_count(0)
    before = await system.get(f"/orders/{order}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method) if request.method != "GET" else None)
    await open_review(visitor, f"from={order}")
    first, second = (image["id"] for image in images_of(before))
    await shows(page, first)
    offered = await page.locator("button:visible").evaluate_all(
        "all => all.map((one) => one.getAttribute('aria-label') ?? one.textContent)"
    )
    harmless = re.compile("(Předchozí|Další) objednávka|Klávesové zkratky")
    assert [one for one in offered if not harmless.fullmatch(one)] == []
    for key in ("Enter", "x", "q", "f", "b", "u", "1", "2"):
        await page.keyboard.press(key)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("ArrowRight")
    await shows(page, second)
    assert asked == []
    assert await system.get(f"/orders/{order}") == before
