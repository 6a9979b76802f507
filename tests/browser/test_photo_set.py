"""Photos are sent one by one, and an order's photos are changed, live for another visitor."""

import re

from playwright.async_api import FilePayload, Locator, expect

from pastelka_local.testing.stack import photo
from tests.browser.conftest import Arrive
from tests.browser.gates import stopped
from tests.browser.orders import images, images_of
from tests.browser.password_gateway import PasswordGateway, enter
from tests.browser.visitor import DisplayOptions, Visitor
from tests.system import System

_DROP = """([selector, files]) => {
  const transfer = new DataTransfer();
  for (const [name, type, bytes] of files)
    transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
  const target = selector ? document.querySelector(selector) : document.body;
  for (const kind of ["dragenter", "dragover", "drop"])
    target.dispatchEvent(
      new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


async def drop(visitor: Visitor, *files: tuple[str, str, bytes], on: str = "") -> None:
    """Drop files with the media types that a browser assigns, on an element or the page."""
    sent = [[name, kind, list(content)] for name, kind, content in files]
    await visitor.page.evaluate(_DROP, [on, sent])


def cards(visitor: Visitor) -> Locator:
    return visitor.page.locator("article[data-image]")


async def choose_from_menu(visitor: Visitor, image_id: int, name: str | re.Pattern[str]) -> None:
    """Open the menu of a photo and choose an item."""
    await visitor.card(image_id).scroll_into_view_if_needed()
    await visitor.lane(image_id, "photo").get_by_role("button", name="úpravy fotky").click()
    await visitor.page.get_by_role("menuitem", name=name).click()


async def shown(visitor: Visitor) -> list[int]:
    """Ids of the photos in their order on the screen."""
    found: list[str] = await cards(visitor).evaluate_all("all => all.map(one => one.dataset.image)")
    return [int(one) for one in found]


async def until_shown(visitor: Visitor, expected: list[int]) -> None:
    async def there() -> bool:
        return await shown(visitor) == expected

    assert await visitor.until(there), await shown(visitor)


async def test_one_bad_file_among_five_is_named_and_the_others_are_stored(
    visit: Arrive, system: System
) -> None:
    visitor = await visit()
    visitor.watch.announce(r"/photos\?.*: 422")
    page = visitor.page
    await visitor.open()
    await visitor.until_light("live")
    good = photo(1300)
    await drop(
        visitor,
        # A file of a type unknown to the browser, like HEIC on many machines.
        ("IMG_0001.HEIC", "", good),
        ("second.jpg", "image/jpeg", photo(1301)),
        ("uriznuty.jpg", "image/jpeg", good[: len(good) // 3]),
        ("fourth.jpg", "image/jpeg", photo(1302)),
        ("fifth.jpg", "image/jpeg", photo(1303)),
    )
    dialog = page.get_by_role("dialog")
    await dialog.get_by_text("Omalovánky", exact=True).click()
    await dialog.get_by_role("button", name="Vytvořit objednávku").click()
    await page.wait_for_url("**/orders/*")
    await expect(cards(visitor)).to_have_count(4)
    tile = page.get_by_role("list", name=re.compile("^Nahrávané fotky")).get_by_role("listitem")
    await expect(tile).to_have_count(1)
    await expect(tile).to_contain_text("uriznuty.jpg")
    await expect(tile).to_contain_text("Fotka není úplná.")
    number = page.url.rsplit("/", 1)[1]
    stored = await images(system, number)
    # In the order of the files, whichever arrived first; what arrived is processed.
    assert [one["position"] for one in stored] == [1, 2, 4, 5]
    for image in stored:
        await expect(visitor.badge(image["id"], "coloring")).to_have_attribute("data-status", "completed")
    await tile.get_by_role("button", name="Zkusit znovu uriznuty.jpg").click()
    await expect(tile).to_contain_text("Fotka není úplná.")
    await tile.get_by_role("button", name="Odebrat uriznuty.jpg").click()
    await expect(tile).to_have_count(0)


async def test_an_upload_goes_on_after_a_broken_connection(visit: Arrive, system: System) -> None:
    number = (await system.order(1, first_seed=1310))["order_number"]
    visitor = await visit()
    visitor.watch.announce("net::ERR_", ": 50[234]")
    await visitor.open_order(number)
    # A request of the opening would take a connection of an upload.
    await visitor.until_answered()
    tiles = visitor.page.get_by_role("list", name=re.compile("^Nahrávané fotky")).get_by_role("listitem")
    gateway = system.stack.servers["nginx"]
    with stopped(system, "api"):
        # The gateway has passed the first photos on, and the API has not answered yet.
        await drop(visitor, *((f"{n}.jpg", "image/jpeg", photo(1310 + n)) for n in (1, 2, 3, 4)))
        await expect(tiles.get_by_text("Ukládá se...")).to_have_count(3)
        await gateway.kill()
        await expect(tiles.get_by_text("Spojení se přerušilo, zkouší se to znovu").first).to_be_visible()
        await gateway.start()
    # The API stores what it had received, which the browser does not know; the same photos come again.
    await expect(cards(visitor)).to_have_count(5)
    await expect(tiles).to_have_count(0)
    stored = await images(system, number)
    assert [one["position"] for one in stored] == [1, 2, 3, 4, 5]
    await visitor.until_light("live")


async def test_photos_dropped_on_an_order_go_to_the_item_under_them(visit: Arrive, system: System) -> None:
    visitor = await visit()
    page = visitor.page
    order = await system.order(1, first_seed=1320)
    number, first = order["order_number"], order["line_items"][0]["id"]
    await visitor.open_order(number)
    await page.get_by_role("button", name="Přidat položku").click()
    await expect(page.get_by_role("heading", level=2)).to_have_count(2)
    second = (await system.get(f"/orders/{number}"))["line_items"][1]["id"]
    await drop(visitor, ("a.jpg", "image/jpeg", photo(1321)), on=f"[data-item='{first}'] article")
    await expect(page.locator(f"[data-item='{first}'] article")).to_have_count(2)
    await drop(visitor, ("b.jpg", "image/jpeg", photo(1322)), on="h1")
    await expect(page.locator(f"[data-item='{second}'] article")).to_have_count(1)
    await drop(visitor, ("letter.pdf", "application/pdf", b"%PDF"))
    toast = page.get_by_role("region", name="Oznámení").get_by_role("listitem")
    await expect(toast.filter(has_text="letter.pdf není v podporovaném formátu")).to_be_visible()
    # The button adds photos without a mouse.
    added = FilePayload(name="c.jpg", mimeType="image/jpeg", buffer=photo(1323))
    await page.get_by_test_id(f"add-photos-{second}").set_input_files(added)
    await expect(page.locator(f"[data-item='{second}'] article")).to_have_count(2)
    # The item is removed with its photos after a question.
    section = page.locator(f"[data-item='{second}']")
    await section.get_by_role("button", name="Odebrat položku").click()
    question = page.get_by_role("dialog")
    await expect(question).to_contain_text("2 fotky")
    await question.get_by_role("button", name="Odebrat položku").click()
    await expect(section).to_have_count(0)
    await expect(page.get_by_role("button", name="Odebrat položku")).to_have_count(0)


async def test_replaced_moved_and_deleted_photos_are_seen_by_another_visitor(
    visit: Arrive, system: System
) -> None:
    here, there = await visit(), await visit()
    order = await system.order(3, first_seed=1330, process="coloring")
    number, these = order["order_number"], [image["id"] for image in images_of(order)]
    for visitor in (here, there):
        await visitor.open_order(number)
    for image in these:
        await expect(there.badge(image, "coloring")).to_have_attribute("data-status", "completed")
    loaded = await there.loaded()

    await choose_from_menu(here, these[2], "Posunout dopředu")
    await until_shown(there, [these[0], these[2], these[1]])
    await until_shown(here, [these[0], these[2], these[1]])
    await choose_from_menu(here, these[0], "Posunout dozadu")
    await until_shown(there, [these[2], these[0], these[1]])

    before = await images(system, number)
    replaced = there.lane(these[2], "photo").get_by_role("img").first
    old = await replaced.get_attribute("src")
    other = FilePayload(name="other.jpg", mimeType="image/jpeg", buffer=photo(1339))
    await here.page.get_by_test_id(f"replace-{these[2]}").set_input_files(other)
    await expect(replaced).not_to_have_attribute("src", old or "")
    # Its page is of the photo before: kept, and not chosen.
    await expect(there.lane(these[2], "coloring")).to_contain_text("Není vybrána žádná omalovánka.")
    assert [one["url"] for one in await images(system, number)][1:] == [one["url"] for one in before][1:]

    await choose_from_menu(here, these[0], re.compile("^Smazat fotku"))
    question = here.page.get_by_role("dialog")
    await expect(question).to_contain_text("smazat?")
    await question.get_by_role("button", name="Smazat fotku").click()
    await until_shown(there, [these[2], these[1]])
    await until_shown(here, [these[2], these[1]])
    assert await there.loaded() == loaded

    # An approval freezes the photo, not its place.
    await there.lane(these[1], "coloring").get_by_role("button", name="Schválit").click()
    await expect(
        here.lane(these[1], "coloring").get_by_role("button", name="Zrušit schválení")
    ).to_be_visible()
    await here.lane(these[1], "photo").get_by_role("button", name="úpravy fotky").click()
    for name in (re.compile("^Nahradit"), re.compile("^Smazat")):
        await expect(here.page.get_by_role("menuitem", name=name)).to_be_disabled()
    await expect(here.page.get_by_role("menuitem", name="Posunout dopředu")).to_be_enabled()
    await here.page.keyboard.press("Escape")


async def test_a_photo_deleted_after_another_visitor_changed_it_stays(visit: Arrive, system: System) -> None:
    visitor = await visit(DisplayOptions(language="en"))
    visitor.watch.announce(r"/photo: 412")
    order = await system.order(2, first_seed=1340)
    number, (first, _) = order["order_number"], [image["id"] for image in images_of(order)]
    await visitor.open_order(number)
    await visitor.lane(first, "photo").get_by_role("button", name="change the photo").click()
    await visitor.page.get_by_role("menuitem", name=re.compile("^Delete the photo")).click()
    question = visitor.page.get_by_role("dialog")
    confirm = question.get_by_role("button", name="Delete the photo")
    await expect(confirm).to_be_enabled()
    url = f"{system.stack.api_url}/images/{first}/photo"
    async with system.http.put(url, data=photo(1349)) as response:
        assert response.status == 200, await response.text()
    await confirm.click()
    await expect(question.get_by_role("alert")).to_contain_text("changed the photo meanwhile")
    assert len(await images(system, number)) == 2
    await question.get_by_role("button", name="Keep").click()


async def test_viewers_are_offered_no_changes(
    visit: Arrive, system: System, password_gateway: PasswordGateway
) -> None:
    number = (await system.order(1, first_seed=1350))["order_number"]
    path = f"/orders/{number}"
    visitor = await visit(at=password_gateway.url)
    await enter(visitor, await password_gateway.user("viewer"), path)
    await expect(cards(visitor)).to_have_count(1)
    for name in ("úpravy fotky", "Upravit fotku", "Přidat fotky", "Přidat položku", "Odebrat položku"):
        await expect(visitor.page.get_by_role("button", name=name)).to_have_count(0)
