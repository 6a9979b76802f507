"""Every page and state of the dashboard in turn, for checks that apply to each of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Locator, Route, expect

from pastelka_common.testing.waiting import until
from pastelka_local.testing.stack import photo
from tests.browser.catalogue import Catalogue
from tests.browser.gates import queue_until_advanced
from tests.browser.orders import images_of
from tests.browser.visitor import Visitor
from tests.system import System

_ORDERS = "**/api/v1/orders?*"
_SESSION = "**/api/v1/session"
_NOBODY = {"mode": "password", "caller": None}
_VIEWER = {"mode": "password", "caller": {"name": "eva", "kind": "user", "role": "viewer"}}
ASK_AGAIN = "document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))"
"""Event that the page treats as a return to it: it then checks the session."""


_QUEUES = "**/api/v1/queues"
_PAUSED = {
    "queues": [
        {"kind": "coloring", "paused_at": "2026-01-16T14:30:00+01:00", "paused_by": "eva"},
        {"kind": "svg", "paused_at": "2026-01-16T14:31:00+01:00", "paused_by": None},
    ]
}


async def order_with_everything(system: System, seed: int) -> Any:
    """An order whose photos are completed with an SVG, failed, cancelled, in progress, and untouched."""
    order = await system.order(5, first_seed=seed)
    done, failed, cancelled, in_progress, _ = (image["id"] for image in images_of(order))

    async def make(image: int, kind: str, wanted: str) -> Any:
        version = await system.post(f"/images/{image}/generate-{kind}")

        async def there() -> bool:
            shown = await system.get(f"/orders/{order['order_number']}/images/{image}")
            return bool(shown["versions"][kind][-1]["status"] == wanted)

        met: bool = await until(there, 60)
        assert met
        return version

    await make(done, "coloring", "completed")
    await make(done, "coloring", "completed")
    await make(done, "svg", "completed")
    system.runpod.fail("submit", 401)
    await make(failed, "coloring", "error")
    queue_until_advanced(system, 2)
    version = await make(cancelled, "coloring", "runpod_queued")
    await system.post(f"/coloring-versions/{version['id']}/cancel")
    await make(in_progress, "coloring", "runpod_queued")
    return order


async def scenes(visitor: Visitor, words: Catalogue, order: Any) -> AsyncIterator[str]:
    """Show every scene in turn and yield its name."""
    # A visitor whose first page has no data has no cookie yet, and gets it when the hub rejects the stream.
    visitor.watch.announce(
        r"/api/v1/orders.*: (404|409|503)", r"/\.well-known/mercure.*: 401", r"/api/v1/session: 401"
    )
    async for name in _of_the_list(visitor, words):
        yield f"list: {name}"
    async for name in _of_an_order(visitor, words, order):
        yield f"order: {name}"
    async for name in _of_the_review(visitor, words, order):
        yield f"review: {name}"
    async for name in _elsewhere(visitor, words):
        yield name
    async for name in _of_signing_in(visitor, words):
        yield f"sign-in: {name}"
    async for name in _of_a_viewer(visitor, words, order):
        yield f"viewer: {name}"


async def _of_the_list(visitor: Visitor, words: Catalogue) -> AsyncIterator[str]:
    page = visitor.page
    await visitor.open()
    await expect(page.get_by_role("table")).to_be_visible()
    await visitor.until_light("live")
    yield "orders"
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    yield "help"
    await page.keyboard.press("Escape")
    await page.get_by_role("checkbox", name=words.begin("list.select")).first.check()
    await expect(page.get_by_role("button", name=words["list.unselect"])).to_be_visible()
    yield "selection"
    await page.get_by_role("button", name=words["list.more"]).click()
    await expect(page.get_by_role("menuitem")).to_have_count(10)
    yield "actions for the selection"
    await page.get_by_role("menuitem", name=words["list.hold"]).click()
    await expect(page.get_by_role("dialog").get_by_label(words["stage.hold.reason"])).to_be_focused()
    yield "reason for a hold"
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.get_by_role("button", name=words["list.unselect"]).click()
    await visitor.drop(photo(1), photo(2))
    await expect(page.get_by_role("dialog")).to_contain_text(words["upload.create"])
    yield "new order"
    await visitor.open("/?q=no-such-name")
    await expect(page.get_by_text(words["list.nothing.title"])).to_be_visible()
    yield "nothing found"
    async with answering(visitor, _ORDERS, json={"items": [], "next_cursor": None}):
        await visitor.open()
        await expect(page.get_by_text(words["list.empty.title"])).to_be_visible()
        yield "empty"
    async with answering(visitor, _ORDERS, status=503, json={"title": "Service Unavailable"}):
        await visitor.open()
        await expect(page.get_by_text(words["list.failed"])).to_be_visible()
        yield "not loaded"


async def _of_a_photo_edit(visitor: Visitor, words: Catalogue, card: Locator) -> AsyncIterator[str]:
    dialog = visitor.page.get_by_role("dialog")
    await card.get_by_role("button", name=words.begin("photo.edit.of")).click()
    await expect(dialog.locator("[data-crop]")).to_be_visible()
    yield "editor of a photo"
    await dialog.get_by_role("slider", name=words["photo.brightness"]).fill("20")
    await visitor.page.keyboard.press("Escape")
    await expect(visitor.page.get_by_role("button", name=words["photo.discard.confirm"])).to_be_visible()
    yield "question before an edit is discarded"
    await visitor.page.get_by_role("button", name=words["photo.discard.confirm"]).click()
    await expect(dialog).to_have_count(0)


async def _of_an_order(visitor: Visitor, words: Catalogue, order: Any) -> AsyncIterator[str]:
    page, number = visitor.page, order["order_number"]
    done = visitor.card(images_of(order)[0]["id"])
    await visitor.open_order(number)
    # An off-screen card is not rendered.
    await expect(page.locator("article [data-status=runpod_queued]")).to_be_attached()
    yield "in the middle of its work, with an error"
    await done.get_by_role("button", name=words.begin("detail.view.open")).first.click()
    dialog = page.get_by_role("dialog")
    for view in ("compare", "photo", "coloring", "svg"):
        await dialog.get_by_role("button", name=words[f"detail.view.{view}"], exact=True).click()
        yield f"viewer, {view}"
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    async for scene in _of_a_photo_edit(visitor, words, done):
        yield scene
    # Below the width of a tablet the options, and the details and actions, are behind a button each.
    for hidden in ("detail.preset", "detail.more"):
        button = page.get_by_role("button", name=words[hidden])
        if await button.is_visible():
            await button.click()
    await page.get_by_text(words["detail.preset.own"], exact=True).click()
    await page.get_by_role("spinbutton", name=words["detail.megapixels"]).fill("99")
    await page.get_by_role("button", name="SVG:").click()
    await expect(page.get_by_text(words["detail.megapixels.error"])).to_be_visible()
    yield "own options, one of them wrong"
    await page.get_by_role("spinbutton", name=words["detail.megapixels"]).fill("1")
    async for name in _of_a_book(visitor, words):
        yield name
    await page.get_by_role("button", name=words["history.open"], exact=True).click()
    await dialog.get_by_label(words["history.noteText"]).fill("SMS 1270")
    await dialog.get_by_role("button", name=words["history.addNote"]).click()
    await expect(dialog.locator("[data-action=note]").first).to_be_visible()
    await dialog.get_by_label(words["history.assignee"]).fill("Eva")
    yield "history, with a note and a changed field"
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await page.get_by_role("button", name=words["detail.delete"], exact=True).click()
    await expect(dialog).to_be_visible()
    yield "question before it is deleted"
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await page.get_by_role("button", name=words["detail.all.svg"], exact=True).first.click()
    await expect(
        page.get_by_role("region", name=words["toast.label"]).get_by_role("listitem")
    ).to_be_visible()
    yield "toast"
    async with answering(visitor, f"**/api/v1/orders/{number}", status=503, json={"title": "Unavailable"}):
        await visitor.open(f"/orders/{number}")
        await expect(page.get_by_text(words["detail.loadFailed"])).to_be_visible()
        yield "not loaded"
    await visitor.open("/orders/M9999999")
    await expect(page.get_by_text(words["detail.notFound.text"])).to_be_visible()
    yield "not there"


async def _of_a_book(visitor: Visitor, words: Catalogue) -> AsyncIterator[str]:
    """On the page of an order whose book has errors."""
    page, dialog = visitor.page, visitor.page.get_by_role("dialog")
    await page.get_by_role("button", name=words["detail.export"], exact=True).click()
    await expect(page.get_by_role("menuitem")).to_have_count(4)
    yield "export menu"
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name=words.begin("item.edit.of")).click()
    await expect(page.get_by_label(words["item.quantity"])).to_be_visible()
    await page.get_by_label(words["item.quantity"]).fill("0")
    yield "line item, its quantity wrong"
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name=words["book.open"], exact=True).click()
    await expect(dialog.get_by_role("button", name=words["book.force"])).to_be_visible()
    yield "book, stopped by its preflight"
    await dialog.get_by_role("button", name=words["book.force"]).click()
    yield "question before it is forced"
    await page.get_by_role("button", name=words["book.force.confirm"]).click()
    await expect(dialog.get_by_role("img").first).to_be_visible()
    await dialog.get_by_role("combobox", name=words["book.paper"]).select_option("custom")
    await dialog.get_by_label(words["book.width_mm"]).fill("1")
    yield "book with its sheets, and a wrong width"
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def _of_the_review(visitor: Visitor, words: Catalogue, order: Any) -> AsyncIterator[str]:
    page, dialog = visitor.page, visitor.page.get_by_role("dialog")
    await visitor.open(f"/review?from={order['order_number']}")
    await expect(page.locator("[data-sheet=true]")).to_have_count(3)
    await visitor.until_light("live")
    yield "two candidates"
    await page.keyboard.press("x")
    await expect(dialog.get_by_label(words["review.sendBack.reason"])).to_be_focused()
    yield "reason for sending back"
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await page.keyboard.press("?")
    await expect(dialog).to_be_visible()
    yield "keys"
    await page.keyboard.press("Escape")
    await visitor.open("/review?q=no-such-name")
    await expect(page.get_by_text(words["review.done.title"])).to_be_visible()
    yield "nothing to review"


async def _elsewhere(visitor: Visitor, words: Catalogue) -> AsyncIterator[str]:
    page = visitor.page
    await visitor.open("/system")
    await expect(page.get_by_role("heading", name=words["system.title"]).first).to_be_visible()
    await visitor.until_light("live")
    yield "system"
    async with answering(visitor, _QUEUES, json=_PAUSED):
        await visitor.open("/system")
        await expect(page.get_by_role("region", name=words["pause.label"])).to_be_visible()
        await expect(page.locator("h1").first).to_be_visible()
        await visitor.until_light("live")
        yield "system, paused"
    await visitor.open("/no/such/page")
    await expect(page.get_by_text(words["missing.title"])).to_be_visible()
    yield "404"


async def _of_signing_in(visitor: Visitor, words: Catalogue) -> AsyncIterator[str]:
    page = visitor.page
    wrong = {"title": "Wrong", "status": 401, "code": "bad_credentials", "detail": "Wrong.", "type": "x"}
    async with answering(visitor, _SESSION, json=_NOBODY):
        await visitor.open()
        await expect(page.get_by_label(words["signIn.name"])).to_be_focused()
        yield "sign in"
        async with answering(visitor, _SESSION, status=401, json=wrong):
            await page.get_by_label(words["signIn.name"]).fill("eva")
            await page.get_by_label(words["signIn.password"]).fill("wrong")
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("alert")).to_have_text(words["error.bad_credentials"])
            yield "wrong password"
    async with answering(visitor, _SESSION, json={"mode": "proxy", "caller": None}):
        await visitor.open()
        await expect(page.get_by_role("heading", name=words["signIn.proxy.title"])).to_be_visible()
        yield "proxy"


async def _of_a_viewer(visitor: Visitor, words: Catalogue, order: Any) -> AsyncIterator[str]:
    page = visitor.page
    async with answering(visitor, _SESSION, json=_VIEWER):
        await visitor.open()
        await expect(page.get_by_role("table")).to_be_visible()
        await page.get_by_role("button", name=words.begin("who.label")).click()
        await expect(page.get_by_text(words["who.viewer.text"])).to_be_visible()
        yield "list, and who is signed in"
        await visitor.open_order(order["order_number"])
        yield "order"
        await page.keyboard.press("h")
        await expect(page.get_by_role("dialog").locator("[data-action=created]")).to_be_visible()
        yield "history"
        await page.keyboard.press("Escape")
        async with answering(visitor, _SESSION, json=_NOBODY):
            await page.evaluate(ASK_AGAIN)
            await expect(page.get_by_text(words["signIn.ended"])).to_be_visible()
            yield "session ended"


@asynccontextmanager
async def answering(visitor: Visitor, address: str, *, status: int = 200, json: Any) -> AsyncIterator[None]:
    """Answer the visitor's requests to ``address`` with this response until the block ends."""

    async def handle(route: Route) -> None:
        await route.fulfill(status=status, json=json)

    await visitor.page.route(address, handle)
    try:
        yield
    finally:
        await visitor.page.unroute(address, handle)
