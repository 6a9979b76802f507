"""Navigation by keyboard alone."""

from playwright.async_api import Locator, expect

from tests.browser.visitor import Visitor

_MOST_TABS = 120
COUNT_POINTERS = """window.pointers = 0;
for (const kind of ["pointerdown", "mousedown", "touchstart"])
  addEventListener(kind, () => (window.pointers += 1), true);"""
"""Script that counts pointer events in ``window.pointers``."""


class Keyboard:
    """A visitor's keyboard."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.press = visitor.page.keyboard.press
        self.type = visitor.page.keyboard.type

    async def tab_to(self, target: Locator, *, back: bool = False) -> None:
        """Press Tab until ``target`` has the focus; fails if it is unreachable."""
        await expect(target).to_be_visible()
        for _ in range(_MOST_TABS):
            if await target.evaluate("target => target === document.activeElement"):
                return
            await self.press("Shift+Tab" if back else "Tab")
        raise AssertionError(f"Tab does not reach {target}")

    async def enter(self, target: Locator, *, back: bool = False) -> None:
        """Tab to ``target`` and press Enter."""
        await self.tab_to(target, back=back)
        await self.press("Enter")
