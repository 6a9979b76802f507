"""What of a text from outside is kept."""

import sys
import unicodedata

import pytest

from pastelka_orders.domain.text import lines, single_line

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
INDIC = "\u0915\u094d\u200d\u0937"


@pytest.mark.parametrize(
    "kept",
    [
        "Jana Nováková",
        "Ng\u0303o\u0323c",
        PERSIAN,
        INDIC,
        FAMILY,
        ENGLAND,
        "❤️",
        "#️⃣",
        "O'Neil-Łukasz",
        "\u0600\u0661",
    ],
)
def test_characters_required_by_scripts_are_kept(kept: str) -> None:
    assert single_line(kept) == kept
    assert lines(f"{kept}\n\t{kept}") == f"{kept}\n\t{kept}"


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("Jana\u202egpj.exe", "Janagpj.exe"),
        ("\u2066Jana\u2069", "Jana"),
        ("Ja\u200bna\ufeff", "Jana"),
        ("Ja\0na\x1b[31m", "Jana[31m"),
        ("1001\r\n", "1001"),
        ("10\r\n01", "10 01"),
        ("a\u2028b\tc", "a b c"),
        ("\u200d\u200cJana \u200d ", "Jana"),
        (f"a{chr(0x200D) * 5000}b", "a\u200db"),
        ("a\U000e0041\U000e0042", "a"),
        ("\u202e \u200b", ""),
    ],
)
def test_invisible_characters_are_removed(given: str, cleaned: str) -> None:
    assert single_line(given) == cleaned


def test_line_breaks_are_kept() -> None:
    assert lines("For Ema\r\nwith love\u202e\r\r\x07from\tus\n") == "For Ema\nwith love\n\nfrom\tus"


def test_no_control_or_direction_characters_remain() -> None:
    text = "".join(map(chr, [*range(0xD800), *range(0xE000, sys.maxunicode + 1)]))
    left = {one for one in single_line(text) if unicodedata.category(one) in {"Cc", "Cf", "Cs"}}
    assert left <= set(
        "\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
    )
