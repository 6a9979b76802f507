"""From dropped photos to downloaded files, by mouse, with every status on the way."""

from typing import Any

from playwright.async_api import expect

from pastelka_local.testing.stack import photo
from tests.browser.gates import by_hand, held, stopped, unreadable
from tests.browser.visitor import Visitor
from tests.line import Line

COLORING = [
    ("pending", "Čeká na odeslání"),
    ("queued", "Čeká ve frontě"),
    ("processing", "Zpracovává se..."),
    ("runpod_submitting", "Runpod: odesílání na server"),
    ("runpod_submitted", "Runpod: úloha přijata"),
    ("runpod_queued", "Runpod: čeká ve frontě"),
    ("runpod_processing", "Runpod: Probíhá zpracování"),
    ("completed", "Dokončeno"),
]
SVG = [
    ("pending", "Čeká na odeslání"),
    ("queued", "Čeká ve frontě"),
    ("processing", "Zpracovává se..."),
    ("vectorizer_processing", "Vectorizer: Probíhá zpracování"),
    ("completed", "Dokončeno"),
]


async def shows(visitor: Visitor, image_id: int, kind: str, status: str) -> None:
    """Wait for a badge to show a status."""
    await expect(visitor.badge(image_id, kind)).to_have_attribute("data-status", status)


async def color_step_by_step(visitor: Visitor, line: Line, image: Any) -> None:
    button = visitor.page.get_by_role("button", name="Vygenerovat omalovánky")
    by_hand(line)
    with stopped(line, "coloring"):
        with stopped(line, "worker"):
            await button.click()
            await shows(visitor, image["id"], "coloring", "pending")
        await shows(visitor, image["id"], "coloring", "queued")
        reading = unreadable(line, image["url"])
        await reading.__aenter__()
    await shows(visitor, image["id"], "coloring", "processing")
    async with held(line, "status"):
        async with held(line, "submit"):
            await reading.__aexit__(None, None, None)
            await shows(visitor, image["id"], "coloring", "runpod_submitting")
        await shows(visitor, image["id"], "coloring", "runpod_submitted")
    await shows(visitor, image["id"], "coloring", "runpod_queued")
    line.runpod.advance("IN_PROGRESS")
    await shows(visitor, image["id"], "coloring", "runpod_processing")
    line.runpod.advance("COMPLETED")
    await shows(visitor, image["id"], "coloring", "completed")


async def test_main_job_by_mouse(visitor: Visitor, line: Line) -> None:
    await visitor.open()
    await visitor.until_light("live")
    await visitor.drop(photo(1))
    dialog = visitor.page.get_by_role("dialog")
    await dialog.get_by_text("Jen uložit").click()
    await dialog.get_by_role("button", name="Vytvořit objednávku").click()
    heading = visitor.page.locator("main h1")
    await visitor.page.wait_for_url("**/orders/*")
    number = visitor.page.url.rsplit("/", 1)[1]
    await expect(heading).to_contain_text(number)
    image = (await line.get(f"/orders/{number}"))["line_items"][0]["images"][0]
    await color_step_by_step(visitor, line, image)
    changes = await visitor.recorded(image["id"], "coloring")
    assert [(change["status"], change["label"]) for change in changes] == COLORING
