"""From dropped photos to downloaded files by mouse, with every status on the way."""

import io
import zipfile
from contextlib import AsyncExitStack
from typing import Any

from playwright.async_api import FilePayload, expect

from pastelka_local.testing.stack import photo
from tests.browser.gates import held, queue_until_advanced, stopped, unreadable
from tests.browser.orders import images
from tests.browser.statuses import COLORING, SVG, as_labels
from tests.browser.visitor import Visitor
from tests.system import System


async def show(visitor: Visitor, these: list[Any], kind: str, status: str) -> None:
    """Wait for the badges of the images' first versions to show a status."""
    for image in these:
        await expect(visitor.badge(image["id"], kind)).to_have_attribute("data-status", status)


async def confirm(visitor: Visitor, these: list[Any]) -> None:
    """Confirm the cost, which is asked for more than one image."""
    if len(these) > 1:
        await visitor.confirm_cost()


async def color_step_by_step(visitor: Visitor, system: System, these: list[Any]) -> None:
    number = len(these)
    queue_until_advanced(system, number)
    async with AsyncExitStack() as reading:
        with stopped(system, "coloring"):
            with stopped(system, "worker"):
                await visitor.page.get_by_role("button", name="Vygenerovat omalovánky").click()
                await confirm(visitor, these)
                await show(visitor, these, "coloring", "pending")
            await show(visitor, these, "coloring", "queued")
            for image in these:
                await reading.enter_async_context(unreadable(system, image["url"]))
        await show(visitor, these, "coloring", "processing")
        async with held(system, "status", number):
            async with held(system, "submit", number):
                await reading.aclose()
                await show(visitor, these, "coloring", "runpod_submitting")
            await show(visitor, these, "coloring", "runpod_submitted")
    await show(visitor, these, "coloring", "runpod_queued")
    system.runpod.advance("IN_PROGRESS")
    await show(visitor, these, "coloring", "runpod_processing")
    system.runpod.advance("COMPLETED")
    await show(visitor, these, "coloring", "completed")


async def vectorise_step_by_step(visitor: Visitor, system: System, these: list[Any]) -> None:
    system.vectorizer.hold()
    async with AsyncExitStack() as reading:
        with stopped(system, "vectorize"):
            with stopped(system, "worker"):
                button = visitor.page.get_by_role("button", name="Vygenerovat SVG", exact=True)
                await button.first.click()
                await confirm(visitor, these)
                await show(visitor, these, "svg", "pending")
            await show(visitor, these, "svg", "queued")
            for image in these:
                page = image["versions"]["coloring"][0]["url"]
                await reading.enter_async_context(unreadable(system, page))
        await show(visitor, these, "svg", "processing")
    await show(visitor, these, "svg", "vectorizer_processing")
    system.vectorizer.release()
    await show(visitor, these, "svg", "completed")


async def make_order(visitor: Visitor) -> str:
    """Drop a photo, select another one, and create an order of both; returns its number."""
    await visitor.drop(photo(1))
    dialog = visitor.page.get_by_role("dialog")
    async with visitor.page.expect_file_chooser() as choosing:
        await dialog.get_by_role("button", name="Přidat další").click()
    other = FilePayload(name="other.jpg", mimeType="image/jpeg", buffer=photo(2))
    await (await choosing.value).set_files(other)
    await expect(dialog.get_by_text("2 fotky")).to_be_visible()
    await dialog.get_by_text("Jen uložit").click()
    await dialog.get_by_role("button", name="Vytvořit objednávku").click()
    await visitor.page.wait_for_url("**/orders/*")
    await expect(visitor.page.locator("article[data-image]")).to_have_count(2)
    return visitor.page.url.rsplit("/", 1)[1]


async def pictures_load(visitor: Visitor) -> None:
    """Scroll to every picture of the page and wait for its file."""
    pictures = visitor.page.locator("article img")
    for picture in await pictures.all():
        await picture.scroll_into_view_if_needed()
        await expect(picture).to_have_js_property("complete", value=True)
        assert await picture.evaluate("picture => picture.naturalWidth") > 0, await picture.get_attribute(
            "src"
        )


async def downloaded(visitor: Visitor, name: str) -> bytes:
    """The file that an item of the menu *Export* downloads."""
    async with visitor.page.expect_download() as download:
        await visitor.page.get_by_role("button", name="Export").click()
        await visitor.page.get_by_role("menuitem", name=name).click()
    path = await (await download.value).path()
    return path.read_bytes()


async def test_main_job_by_mouse(visitor: Visitor, system: System) -> None:
    await visitor.open()
    await visitor.until_light("live")
    loaded = await visitor.loaded()
    number = await make_order(visitor)
    await visitor.page.get_by_role("link", name="Objednávky").first.click()
    await visitor.page.get_by_role("link", name=number).click()
    await expect(visitor.page.locator("main h1")).to_contain_text(number)
    these = await images(system, number)
    assert len(these) == 2

    await color_step_by_step(visitor, system, these)
    await vectorise_step_by_step(visitor, system, await images(system, number))
    for image in these:
        assert as_labels(await visitor.recorded(image["id"], "coloring")) == list(COLORING.items())
        assert as_labels(await visitor.recorded(image["id"], "svg")) == list(SVG.items())
    assert await visitor.loaded() == loaded
    await pictures_load(visitor)
    await choose_another(visitor, system, number)
    await download_all(visitor)


async def choose_another(visitor: Visitor, system: System, number: str) -> None:
    """Make and select a second page of the first image, then select the first one again."""
    first = (await images(system, number))[0]
    lane = visitor.lane(first["id"], "coloring")
    await lane.get_by_role("button", name="Nová omalovánka").click()
    await expect(visitor.badge(first["id"], "coloring", 2)).to_have_attribute("data-status", "completed")
    tiles = lane.locator("li button")
    for place, version in ((1, 1), (0, 0), (1, 1), (0, 0)):
        await visitor.choose(first["id"], "coloring", place + 1)
        await expect(tiles.nth(1 - place)).to_have_attribute("aria-current", "false")

        async def chosen(version: int = version) -> bool:
            image = (await images(system, number))[0]
            wanted = image["versions"]["coloring"][version]["id"]
            return bool(image["selected_version_ids"]["coloring"] == wanted)

        await visitor.until(chosen)


async def download_all(visitor: Visitor) -> None:
    for name, ending, begin in (("Omalovánky ZIP", ".png", b"\x89PNG"), ("SVG ZIP", ".svg", b"<")):
        with zipfile.ZipFile(io.BytesIO(await downloaded(visitor, name))) as archive:
            assert len(archive.namelist()) == 2
            for member in archive.namelist():
                assert member.endswith(ending)
                assert archive.read(member).startswith(begin)
    assert (await downloaded(visitor, "PDF k tisku")).startswith(b"%PDF")
