"""axe reports no violation on any page, in light and dark."""

from pathlib import Path

import pytest

from tests.browser.catalogue import words
from tests.browser.conftest import Arrive
from tests.browser.scenes import order_with_everything, scenes
from tests.browser.visitor import DisplayOptions, Theme, Visitor
from tests.system import System

_AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Off-screen cards are skipped in rendering but not in the accessibility tree: axe would miss their texts.
_DRAW_ALL = """() => {
  const style = document.createElement("style");
  style.textContent = "* { content-visibility: visible !important }";
  document.head.append(style);
}"""
_RUN = """async (rules) => {
  const { violations } = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
  return violations.flatMap((violation) => violation.nodes.map((node) =>
    `${violation.id} (${violation.help}): ${node.html.slice(0, 160)} ${node.any.map((why) => why.message)}`));
}"""


async def findings(visitor: Visitor) -> list[str]:
    """axe's violations on the current screen."""
    if not await visitor.page.evaluate("typeof axe === 'object'"):
        await visitor.page.evaluate(_AXE.read_text())
        await visitor.page.evaluate(_DRAW_ALL)
    found: list[str] = await visitor.page.evaluate(_RUN, _RULES)
    return found


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 1440), ("light", 375), ("dark", 375)])
async def test_axe_finds_nothing(visit: Arrive, system: System, theme: Theme, width: int) -> None:
    order = await order_with_everything(system, 600)
    look = DisplayOptions(theme=theme, width=width, reduced_motion=True, bypass_csp=True)
    visitor = await visit(look)
    found: list[str] = []
    seen = 0
    async for scene in scenes(visitor, words("cs"), order):
        seen += 1
        assert await visitor.page.evaluate("document.documentElement.dataset.theme") == theme
        found += [f"{scene}: {finding}" for finding in await findings(visitor)]
    assert not found, "\n".join(found)
    assert seen >= 25


async def test_axe_finds_a_violation_on_a_broken_page(visit: Arrive) -> None:
    """axe reports a violation that the test introduces."""
    visitor = await visit(DisplayOptions(bypass_csp=True))
    visitor.watch.announce(r"/\.well-known/mercure")
    await visitor.open("/no/such/page")
    await visitor.until_light("live")
    await visitor.page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert any(finding.startswith("button-name") for finding in await findings(visitor))
