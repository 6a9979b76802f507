"""Each language is complete: no page shows text of the other one."""

import re
from collections.abc import Collection
from typing import get_args

import pytest
from playwright.async_api import expect

from tests.browser.catalogue import words
from tests.browser.conftest import Arrive
from tests.browser.scenes import order_with_everything, scenes
from tests.browser.visitor import DisplayOptions, Language, Visitor
from tests.system import System

_CZECH_LETTERS = re.compile(r"[ěščřžýáíéúůťďňó]", re.IGNORECASE)
# All visible and accessible text, except elements that declare another language.
_TEXTS = """() => {
  const texts = new Set([document.title]);
  const language = document.documentElement.lang;
  const add = (text) => text?.trim() && texts.add(text.trim().replace(/\\s+/g, " "));
  for (const element of document.querySelectorAll("body, body *")) {
    if (element.closest("script, style") || element.closest("[lang]").lang !== language) continue;
    for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) add(node.data);
    for (const name of ["aria-label", "aria-valuetext", "title", "placeholder", "alt"])
      add(element.getAttribute(name));
  }
  return [...texts];
}"""


def test_the_catalogue_is_read_completely() -> None:
    czech, english = (words(language).forms for language in get_args(Language))
    assert czech.keys() == english.keys()
    assert len(czech) > 200
    assert words("cs")["detail.delete.text"].startswith("Smažou se")
    assert words("en").forms["photos"] == ("{count} photo", "{count} photos")


# A text of two values and a conjunction matches sentences of any language.
_TELLING_LETTERS = 3


def _letters(pattern: re.Pattern[str]) -> int:
    """How many letters of a text are its own, not those of values."""
    return sum(character.isalpha() for character in pattern.pattern)


async def foreign(visitor: Visitor, language: Language, data: Collection[str] = ()) -> list[str]:
    """Texts on screen that belong to the other language; ``data`` belongs to neither."""
    other: Language = "en" if language == "cs" else "cs"
    own = list(words(language).patterns())
    same = {pattern.pattern for pattern in own}
    theirs = [
        pattern
        for pattern in words(other).patterns()
        if pattern.pattern not in same and _letters(pattern) >= _TELLING_LETTERS
    ]
    found = []
    for text in await visitor.page.evaluate(_TEXTS):
        plain = text.removesuffix(" · Pastelka")
        if plain in data or any(pattern.fullmatch(plain) for pattern in own):
            continue
        is_czech = _CZECH_LETTERS.search(plain) is not None
        if (language == "en" and is_czech) or any(pattern.fullmatch(plain) for pattern in theirs):
            found.append(text)
    return found


@pytest.mark.parametrize("language", get_args(Language))
async def test_no_text_of_the_other_language_is_shown(
    visit: Arrive, system: System, language: Language
) -> None:
    order = await order_with_everything(system, 700)
    visitor = await visit(DisplayOptions(language=language))
    titles = [item["title"] for item in order["line_items"]]
    found: list[str] = []
    async for scene in scenes(visitor, words(language), order):
        await expect(visitor.page.locator("html")).to_have_attribute("lang", language)
        found += [f"{scene}: {text}" for text in await foreign(visitor, language, titles)]
    assert not found, "\n".join(found)


async def test_the_language_switches_at_once_and_persists(visitor: Visitor) -> None:
    html = visitor.page.locator("html")
    await visitor.open()
    await visitor.until_light("live")
    await expect(html).to_have_attribute("lang", "cs")
    await visitor.page.get_by_role("button", name="Switch to English").click()
    await expect(html).to_have_attribute("lang", "en")
    await expect(visitor.page.get_by_role("heading", name="Orders")).to_be_visible()
    assert await foreign(visitor, "en") == []
    await visitor.page.reload()
    await expect(visitor.page.get_by_role("heading", name="Orders")).to_be_visible()
    await visitor.page.get_by_role("button", name="Přepnout do češtiny").click()
    await expect(visitor.page.get_by_role("heading", name="Objednávky")).to_be_visible()
    assert await foreign(visitor, "cs") == []
