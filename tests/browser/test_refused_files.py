"""Uploaded files that are not photos are named on their tiles; the valid ones are stored."""

from playwright.async_api import expect

from pastelka_local.testing.stack import photo
from tests.browser.conftest import Arrive
from tests.browser.visitor import DisplayOptions, Visitor
from tests.system import System

_DROP = """(files) => {
  const transfer = new DataTransfer();
  for (const [name, type, bytes] of files)
    transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
  for (const kind of ["dragenter", "dragover", "drop"])
    document.body.dispatchEvent(
      new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


async def drop(visitor: Visitor, *files: tuple[str, str, bytes]) -> None:
    """Drop files with the media types that a browser assigns."""
    await visitor.page.evaluate(_DROP, [[name, kind, list(content)] for name, kind, content in files])


async def test_valid_files_are_stored_and_each_rejected_file_is_named(visit: Arrive, system: System) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.until_light("live")
    good = photo(1)
    # A file of a type unknown to the browser, like HEIC on many machines.
    await drop(
        visitor,
        ("IMG_0001.HEIC", "", good),
        ("prazdny.jpg", "image/jpeg", b""),
        ("uriznuty.jpg", "image/jpeg", good[: len(good) // 3]),
        ("good.jpg", "image/jpeg", photo(2)),
    )
    dialog = visitor.page.get_by_role("dialog")
    await expect(dialog.locator("li")).to_have_count(4)
    await dialog.get_by_role("button", name="Vytvořit objednávku").click()
    await expect(dialog).to_contain_text("2 soubory v\u00a0ní chybí")
    tiles = dialog.locator("li")
    await expect(tiles).to_have_count(2)
    await expect(tiles.nth(0)).to_contain_text("prazdny.jpg")
    await expect(tiles.nth(0)).to_contain_text("Soubor je prázdný.")
    await expect(tiles.nth(1)).to_contain_text("uriznuty.jpg")
    await expect(tiles.nth(1)).to_contain_text("Fotka není úplná.")
    await dialog.get_by_role("button", name="Otevřít objednávku").click()
    await expect(visitor.page.locator("article[data-image]")).to_have_count(2)


async def test_without_a_valid_file_each_shows_a_reason_and_can_be_replaced(
    visit: Arrive, system: System
) -> None:
    visitor = await visit(DisplayOptions(language="en", width=375, height=760))
    visitor.watch.announce(r"/api/v1/orders: 422")
    await visitor.open()
    await drop(visitor, ("empty.jpg", "image/jpeg", b""), ("page.jpg", "", b"<html></html>" * 20))
    dialog = visitor.page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Create order").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("None of these files can be used as a photo.")
    await expect(dialog.locator("li").nth(0)).to_contain_text("The file is empty")
    await expect(dialog.locator("li").nth(1)).to_contain_text("page.jpg")
    await dialog.get_by_role("button", name="Remove empty.jpg").click()
    await expect(dialog.locator("li")).to_have_count(1)
