"""``python -m tests.pictures``: takes the screenshots of the dashboard for the documentation."""

import argparse
import asyncio
import re
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page

from tests.browser.chromium import running_chromium
from tests.pictures.studio import Studio, studio

_FOLDER = Path(__file__).parents[2] / "docs" / "images" / "dashboard"
_THEMES = ("light", "dark")
_QUALITY = 82


@dataclass(frozen=True, slots=True)
class Screen:
    """Window size in CSS pixels, device pixels per CSS pixel, and the views to take (empty: all)."""

    width: int
    height: int
    scale: int = 1
    views: frozenset[str] = frozenset()


_SCREENS = (
    Screen(1440, 900),
    Screen(768, 1024),
    Screen(375, 812, 2),
    Screen(2560, 1440, views=frozenset({"list", "order", "review", "book"})),
)


async def main(folder: Path, only: list[str]) -> None:
    """Take every screenshot into ``folder``; with ``only``, those whose name begins so."""
    async with studio() as place, running_chromium() as browser:
        for screen in _SCREENS:
            for theme in _THEMES:
                await _take(browser, place, screen, theme, "cs", folder, only)
        await _take(browser, place, _SCREENS[0], "light", "en", folder, only)


async def _take(
    browser: Browser, place: Studio, screen: Screen, theme: str, language: str, folder: Path, only: list[str]
) -> None:
    context = await browser.new_context(
        base_url=place.url,
        viewport={"width": screen.width, "height": screen.height},
        device_scale_factor=screen.scale,
        has_touch=screen.scale > 1,
        reduced_motion="reduce",
    )
    await context.add_init_script(
        f"localStorage.setItem('pastelka.theme', '{theme}');"
        f"localStorage.setItem('pastelka.language', '{language}');"
    )
    page = await context.new_page()
    suffix = "" if language == "cs" else f"-{language}"
    for name, show in _VIEWS.items():
        if only and not any(name.startswith(start) for start in only):
            continue
        if screen.views and name not in screen.views:
            continue
        await show(page, place)
        await _wait_until_loaded(page)
        file = folder / f"{name}-{screen.width}-{theme}{suffix}.webp"
        _save(await page.screenshot(), file)
        print(file.name, f"{file.stat().st_size / 1024:.0f} KB", file=sys.stderr)
    await context.close()


async def _list(page: Page, _: Studio) -> None:
    await page.goto("/")
    await page.wait_for_selector("[data-order]")


async def _working(page: Page, place: Studio) -> None:
    await page.goto(f"/orders/{place.working}")
    await page.wait_for_selector("[data-image]")


async def _card_in_work(page: Page, place: Studio) -> None:
    """The same order scrolled to the active work."""
    await _working(page, place)
    await page.locator("[data-image]").nth(2).scroll_into_view_if_needed()
    await page.locator("[data-image]").nth(2).evaluate("card => card.scrollIntoView({ block: 'start' })")


async def _error(page: Page, place: Studio) -> None:
    await page.goto(f"/orders/{place.failed}")
    await page.wait_for_selector("[data-status=error]")


async def _compare(page: Page, place: Studio) -> None:
    await page.goto(f"/orders/{place.done}")
    whole = re.compile("^(Zobrazit na celou obrazovku|Show full screen)")
    await page.locator("[data-image]").first.get_by_role("button", name=whole).click()
    await page.wait_for_selector("[role=dialog] img")
    await page.keyboard.press("4")


async def _review(page: Page, place: Studio) -> None:
    await page.goto(f"/review?from={place.done}")
    await page.wait_for_selector("main[data-image]")


async def _book(page: Page, place: Studio) -> None:
    """The book of a completed order, composed once, with its preflight."""
    await page.goto(f"/orders/{place.done}")
    await page.wait_for_selector("[data-image]")
    # On a phone, the actions are behind a button.
    details = page.get_by_role("button", name=re.compile("^(Podrobnosti|Details)"))
    if await details.is_visible():
        await details.click()
    await page.get_by_role("button", name=re.compile("^(Kniha|Book)$")).click()
    await page.wait_for_selector("[role=dialog] select")
    compose = page.get_by_role("button", name=re.compile("^(Sestavit knihu|Compose the book)$"))
    if await compose.count():
        await compose.click()
    sheets = page.get_by_role("list", name=re.compile("^(Archy|Sheets)")).get_by_role("img")
    await sheets.first.wait_for(timeout=120_000)


async def _system(page: Page, _: Studio) -> None:
    await page.goto("/system")
    await page.wait_for_load_state("networkidle")


async def _sign_in(page: Page, _: Studio) -> None:
    """The sign-in page of AUTH_MODE=password; the studio itself needs none."""
    session = "**/api/v1/session"
    await page.route(session, lambda route: route.fulfill(json={"mode": "password", "caller": None}))
    await page.goto("/")
    await page.wait_for_selector("form")
    await page.unroute(session)


_VIEWS = {
    "list": _list,
    "order": _working,
    "work": _card_in_work,
    "error": _error,
    "compare": _compare,
    "review": _review,
    "book": _book,
    "system": _system,
    "sign-in": _sign_in,
}


async def _wait_until_loaded(page: Page) -> None:
    """Wait until every picture on the screen is loaded and the connection is live."""
    await page.evaluate(
        """async () => {
            await document.fonts.ready;
            const isShown = (image) => image.getBoundingClientRect().top < innerHeight;
            const shown = [...document.images].filter(isShown);
            await Promise.all(shown.map((image) => image.decode().catch(() => null)));
        }"""
    )
    await page.wait_for_load_state("networkidle")


def _save(screenshot: bytes, file: Path) -> None:
    with Image.open(BytesIO(screenshot)) as image:
        image.convert("RGB").save(file, "WEBP", quality=_QUALITY, method=6)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("--folder", type=Path, default=_FOLDER, help=f"where to (default {_FOLDER})")
    parser.add_argument("only", nargs="*", help=f"some of {', '.join(_VIEWS)} (default: all)")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(given.folder, given.only))
