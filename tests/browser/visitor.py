"""A visitor who has the dashboard open in a separate browser context."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict

from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from pastelka_common.testing.waiting import until
from tests.browser.watch import REPORT_VIOLATIONS, Watch

DEADLINE = 30.0
"""Seconds until a screen must show a change; a busy machine is several times slower than an idle one."""
expect.set_options(timeout=DEADLINE * 1000)

Theme = Literal["light", "dark"]
Language = Literal["cs", "en"]
_RECORDER = Path(__file__).with_name("recorder.js").read_text()


class BadgeChange(TypedDict):
    """Status of a badge from ``at`` (ms since the epoch) on."""

    at: float
    status: str
    label: str


class LightChange(TypedDict):
    """State of the connection light from ``at`` (ms since the epoch) on."""

    at: float
    state: str


@dataclass(frozen=True)
class DisplayOptions:
    """Display options of a visitor; ``bypass_csp`` lets a test inject scripts (axe)."""

    language: Language = "cs"
    theme: Theme = "light"
    width: int = 1440
    height: int = 900
    touch: bool = False
    bypass_csp: bool = False
    reduced_motion: bool = False


@dataclass(frozen=True)
class Visitor:
    """One page at ``root``, the dashboard's address."""

    name: str
    root: str
    context: BrowserContext
    page: Page
    watch: Watch

    async def open(self, path: str = "/") -> None:
        """Go to a page of the dashboard."""
        await self.page.goto(f"{self.root}{path}")

    async def open_order(self, number: str) -> None:
        """Go to an order; returns when it is shown and live."""
        await self.open(f"/orders/{number}")
        # While it is loaded, its heading is there for screen readers only.
        await expect(self.page.locator("h1:not(.sr-only)")).to_contain_text(number)
        await self.until_light("live")

    def card(self, image_id: int) -> Locator:
        """The card of an image."""
        return self.page.locator(f"article[data-image='{image_id}']")

    def bar(self) -> Locator:
        """The part of an order's page that stays in sight: number, customer and progress."""
        return self.page.locator("main p").filter(has=self.page.locator("[data-progress]"))

    def badge(self, image_id: int, kind: str, version: int = 1) -> Locator:
        """The badge of the ``version``-th version of a kind."""
        lane = self.lane(image_id, kind)
        return lane.locator("li").nth(version - 1).locator("[data-status]")

    def lane(self, image_id: int, kind: str) -> Locator:
        """The section of an image's card for its ``photo``, ``coloring`` or ``svg``."""
        return self.card(image_id).locator(f"[data-lane='{kind}']")

    async def choose(self, image_id: int, kind: str, version: int) -> None:
        """Look at the ``version``-th version of a kind, which chooses nothing, then choose it."""
        lane = self.lane(image_id, kind)
        tile = lane.locator("li button").nth(version - 1)
        await tile.click()
        await expect(tile).to_have_attribute("aria-pressed", "true")
        await expect(tile).to_have_attribute("aria-current", "false")
        await lane.get_by_role("button", name=f"Vybrat v{version}").click()
        await expect(tile).to_have_attribute("aria-current", "true")

    async def confirm_cost(self) -> None:
        """Confirm the question about the number of pages or SVGs and their cost."""
        dialog = self.page.get_by_role("dialog")
        await dialog.get_by_role("button", name="Spustit").click()
        await expect(dialog).to_have_count(0)

    async def until_light(self, state: str, seconds: float = DEADLINE) -> None:
        """Wait until the connection light shows ``state``."""
        light = self.page.locator("[data-connection]")
        await expect(light).to_have_attribute("data-connection", state, timeout=seconds * 1000)

    async def until_answered(self) -> None:
        """Wait until the page has what it fetches when its stream opens."""
        await until(lambda: self.watch.is_opened and not self.watch.unanswered, DEADLINE)

    async def badges(self) -> dict[str, str]:
        """The statuses on screen by ``<image>/<kind>/<version>``."""
        shown = await self.page.evaluate("window.__recorder.shown()")
        return {key: status for key, (status, _) in shown.items()}

    async def recorded(self, image_id: int, kind: str, version: int = 1) -> list[BadgeChange]:
        """All statuses that a version's badge has shown since the page was loaded."""
        key = f"{image_id}/{kind}/{version}"
        changes: list[BadgeChange] = await self.page.evaluate(f"window.__recorder.badges['{key}'] ?? []")
        return changes

    async def all_recorded(self) -> dict[str, list[BadgeChange]]:
        """The recorded statuses of every badge."""
        changes: dict[str, list[BadgeChange]] = await self.page.evaluate("window.__recorder.badges")
        return changes

    async def lights(self) -> list[LightChange]:
        """All states of the connection light since the page was loaded."""
        lights: list[LightChange] = await self.page.evaluate("window.__recorder.lights")
        return lights

    async def loaded(self) -> float:
        """A number that changes with each reload of the page."""
        return float(await self.page.evaluate("window.__recorder.document"))

    async def until(self, check: Callable[[], Awaitable[Any]], seconds: float = DEADLINE) -> Any:
        """Wait until ``check`` returns a true value."""
        return await until(check, seconds)

    async def drop(self, *photos: bytes) -> None:
        """Drop files on the window, as with a mouse from a folder."""
        await self.page.evaluate(_DROP, [list(photo) for photo in photos])

    async def save_screenshot(self, folder: Path) -> list[Path]:
        """Save a screenshot and the console in ``folder``."""
        picture, console = folder / f"{self.name}.png", folder / f"{self.name}.console.txt"
        console.write_text("\n".join([self.page.url, *self.watch.console]) + "\n")
        async with asyncio.timeout(20):
            await self.page.screenshot(path=picture)
        return [picture, console]


_DROP = """(photos) => {
  const transfer = new DataTransfer();
  photos.forEach((bytes, n) =>
    transfer.items.add(new File([new Uint8Array(bytes)], `photo-${n + 1}.jpg`, { type: "image/jpeg" })));
  const send = (kind) => document.body.dispatchEvent(
    new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  // Of a transfer that no drag made, the browser would keep "none".
  Object.defineProperty(transfer, "dropEffect", { value: "copy", writable: true });
  send("dragenter");
  send("dragover");
  // As with a mouse: the browser sends no drop where the page refuses it.
  send(transfer.dropEffect === "none" ? "dragleave" : "drop");
}"""


async def arrive(browser: Browser, root: str, name: str, look: DisplayOptions) -> Visitor:
    """Create a visitor in a fresh context with an empty page."""
    context = await browser.new_context(
        viewport={"width": look.width, "height": look.height},
        has_touch=look.touch,
        is_mobile=look.touch,
        locale="cs-CZ",
        bypass_csp=look.bypass_csp,
        color_scheme=look.theme,
        reduced_motion="reduce" if look.reduced_motion else "no-preference",
        accept_downloads=True,
    )
    context.set_default_timeout(DEADLINE * 1000)
    await context.add_init_script(_RECORDER)
    await context.add_init_script(REPORT_VIOLATIONS)
    if look.language != "cs":
        key = "pastelka.language"
        await context.add_init_script(f"localStorage['{key}'] ??= '{look.language}'")
    page = await context.new_page()
    return Visitor(name, root, context, page, Watch(page))
