"""Orders that come to need a person are counted in the title, and shown once by a desktop notification."""

from typing import Any

from playwright.async_api import BrowserContext, Page, expect

from pastelka_common.testing.waiting import until
from tests.browser.conftest import Arrive
from tests.browser.orders import images_of
from tests.browser.visitor import Visitor
from tests.system import System

# A stub of the browser's notifications, and of whether the user looks at the tab.
_STUB = """{
  window.__asked = 0;
  window.__seen = 0;
  window.__arrivals = new BroadcastChannel("pastelka.arrivals");
  window.__arrivals.onmessage = ({ data }) => { window.__seen += data.kind === "seen"; };
  window.__shown = [];
  window.__isLookedAt = true;
  document.hasFocus = () => window.__isLookedAt;
  window.Notification = class {
    static permission = localStorage["test.permission"] ?? "default";
    static requestPermission() {
      window.__asked += 1;
      localStorage["test.permission"] = "granted";
      this.permission = "granted";
      return Promise.resolve("granted");
    }
    constructor(title, options) {
      window.__shown.push({ title, ...options });
      window.__last = this;
    }
    close() {}
  };
}"""
SWITCH = "Oznámení na ploše"


async def tabs(visitor: Visitor, count: int) -> list[Page]:
    """Tabs of one browser with the list, live."""
    await visitor.context.add_init_script(_STUB)
    pages = [visitor.page, *[await visitor.context.new_page() for _ in range(count - 1)]]
    for page in pages:
        await page.goto(visitor.root)
        await expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    return pages


async def look(pages: list[Page], *, at: Page | None) -> None:
    """Let the user look at one tab, or at none."""
    for page in pages:
        await page.evaluate("(isLookedAt) => { window.__isLookedAt = isLookedAt; }", page is at)
    if at is not None:
        await at.evaluate("dispatchEvent(new Event('focus'))")


async def shown(pages: list[Page]) -> list[dict[str, Any]]:
    """The notifications of all tabs."""
    return [one for page in pages for one in await page.evaluate("window.__shown")]


async def titles(context: BrowserContext) -> list[str]:
    return [await page.title() for page in context.pages]


async def known(pages: list[Page]) -> None:
    """Wait until the leading tab knows which orders needed a person before."""
    await until(
        lambda: pages[0].evaluate(
            "performance.getEntriesByType('resource').some(({ name }) => name.includes('stage=attention'))"
        ),
        30,
    )


async def test_an_order_to_review_is_counted_in_every_tab_and_shown_once(
    visit: Arrive, system: System
) -> None:
    visitor = await visit()
    pages = await tabs(visitor, 3)
    assert [await page.evaluate("window.__asked") for page in pages] == [0, 0, 0]
    switch = pages[1].get_by_role("button", name=SWITCH)
    await expect(switch).to_have_attribute("aria-pressed", "false")
    await switch.click()
    await expect(switch).to_have_attribute("aria-pressed", "true")
    # The choice is that of the browser.
    await pages[0].evaluate("Notification.permission = 'granted'")
    assert [await page.evaluate("window.__asked") for page in pages] == [0, 1, 0]
    await known(pages)

    await look(pages, at=None)
    order = await system.order(1, first_seed=1400)
    number = order["order_number"]
    await system.post(f"/images/{images_of(order)[0]['id']}/generate-coloring")

    async def is_counted() -> bool:
        return all(title.startswith("(1) ") for title in await titles(visitor.context))

    await until(is_counted, 30)

    async def is_shown() -> bool:
        return len(await shown(pages)) == 1

    await until(is_shown, 30)
    (one,) = await shown(pages)
    assert one["title"] == f"Objednávka {number} je ke kontrole"
    # A click on it opens the order.
    await pages[0].evaluate("window.__last.onclick()")
    await expect(pages[0].locator("main h1")).to_contain_text(number)

    await look(pages, at=pages[2])

    async def is_seen() -> bool:
        return not any(title.startswith("(") for title in await titles(visitor.context))

    await until(is_seen, 30)


async def test_what_comes_while_the_user_looks_is_neither_counted_nor_shown(
    visit: Arrive, system: System
) -> None:
    visitor = await visit()
    pages = await tabs(visitor, 2)
    await pages[0].get_by_role("button", name=SWITCH).click()
    await known(pages)
    order = await system.order(1, first_seed=1410)
    number, image = order["order_number"], images_of(order)[0]["id"]
    await look(pages, at=pages[1])
    await system.post(f"/images/{image}/generate-coloring")
    row = pages[1].locator(f"[role=row]:has([data-order='{number}'])")
    await expect(row.locator("[data-stage]")).to_have_attribute("data-stage", "to_review")
    # What came is fetched a second later; only then does the dashboard know that the user looked.
    await until(lambda: pages[0].evaluate("window.__seen > 0"), 30)
    # Another one, which comes unseen, is the first to be counted and shown.
    await look(pages, at=None)
    other = await system.order(1, first_seed=1411)
    await system.post(f"/images/{images_of(other)[0]['id']}/generate-coloring")

    async def is_shown() -> bool:
        return bool(await shown(pages))

    await until(is_shown, 30)
    assert [one["tag"] for one in await shown(pages)] == [f"{other['order_number']}/to_review"]
    assert {title[:4] for title in await titles(visitor.context)} == {"(1) "}
