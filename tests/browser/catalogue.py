"""The dashboard's message catalogue, read from its sources."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.browser.visitor import Language

_TEXTS = Path(__file__).parents[2] / "frontend" / "src" / "i18n" / "texts"
_ENTRY = re.compile(
    r'^  "?([\w.]+)"?:\s*(?:"((?:[^"\\]|\\.)*)"|\{([^}]*(?:\{\w+\}[^}]*)*)\}),$', re.MULTILINE
)
_FORM = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PLACE = re.compile(r"\\\{\w+\\\}")


@dataclass(frozen=True)
class Catalogue:
    """All texts of a language by key, with all plural forms."""

    forms: dict[str, tuple[str, ...]]

    def __getitem__(self, key: str) -> str:
        return self.forms[key][0]

    def begin(self, key: str) -> re.Pattern[str]:
        """Pattern of a text up to its first placeholder."""
        return re.compile("^" + re.escape(self[key].split("{")[0]))

    def patterns(self) -> Iterator[re.Pattern[str]]:
        """Patterns of all displayed texts with placeholders filled in, without pure placeholders."""
        for forms in self.forms.values():
            for form in forms:
                if re.sub(r"\{\w+\}|\W|\d", "", form):
                    yield re.compile(_PLACE.sub(".+", re.escape(form)), re.DOTALL)


@cache
def words(language: Language) -> Catalogue:
    """The catalogue of a language."""
    forms: dict[str, tuple[str, ...]] = {}
    for file in sorted(_TEXTS.glob("*.ts")):
        text = file.read_text()
        blocks = re.split(r"^export const (\w+) = \{", text, flags=re.MULTILINE)
        block = blocks[blocks.index(language) + 1]
        for key, single, plural in _ENTRY.findall(block):
            forms[key] = tuple(_FORM.findall(plural)) if plural else (single,)
    return Catalogue(forms)
