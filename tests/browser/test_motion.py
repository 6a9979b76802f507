"""Content that is hidden briefly becomes visible again, off screen as well, with and without motion."""

import pytest

from tests.browser.conftest import Arrive
from tests.browser.scenes import order_with_everything
from tests.browser.visitor import DisplayOptions
from tests.system import System

# The page is hidden like this while it waits for the API to identify the user.
_HIDE_AND_SHOW = """async () => {
  const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const texts = [...document.querySelectorAll("article li *")];
  const hidden = () => texts.filter((text) => getComputedStyle(text).visibility === "hidden").length;
  document.querySelector("main").style.visibility = "hidden";
  await drawn();
  const before = hidden();
  document.querySelector("main").style.visibility = "";
  await drawn();
  return [texts.length, before, hidden()];
}"""


@pytest.mark.parametrize("reduced", [True, False])
async def test_content_rendered_off_screen_becomes_visible(
    visit: Arrive, system: System, reduced: bool
) -> None:
    """Transitions do not run in a card that is not rendered, and would hide its texts from screen readers."""
    order = await order_with_everything(system, 640)
    visitor = await visit(DisplayOptions(width=375, reduced_motion=reduced))
    await visitor.open_order(order["order_number"])
    texts, hidden, left = await visitor.page.evaluate(_HIDE_AND_SHOW)
    assert texts > 20
    assert hidden == texts
    assert left == 0
