"""Text on the cover: its size, its lines, its characters."""

import hashlib
from pathlib import Path

import pytest

from pastelka_orders.book.description import BookOptions
from pastelka_orders.book.imposition import fit_dedication
from pastelka_orders.book.settings import known_layout
from pastelka_orders.book.text_fit import FONTS, fit_text, printable_text


def test_short_text_is_large_and_long_text_is_smaller() -> None:
    area = {"width": 150, "height": 60, "largest": 40, "smallest": 12, "font": "Nunito"}
    short = fit_text("Pro Aničku", **area)  # type: ignore[arg-type]
    long = fit_text("slovo " * 60, **area)  # type: ignore[arg-type]
    assert (short.lines, short.size, short.left_out) == (("Pro Aničku",), 40, 0)
    assert 12 <= long.size < 40
    assert long.height <= 60
    assert long.left_out == 0
    assert " ".join(long.lines) == ("slovo " * 60).strip()


def test_overflowing_text_is_counted_and_truncated_with_an_ellipsis() -> None:
    text = " ".join(["slovo"] * 1000)
    cut = fit_text(text, width=100, height=40, largest=30, smallest=16, font="Nunito")
    assert cut.size == 16
    assert cut.lines[-1].endswith("…")
    kept = " ".join(cut.lines).removesuffix("…")
    assert len(text) - len(kept) == cut.left_out


def test_a_preposition_does_not_end_a_line() -> None:
    for width in range(45, 90):
        text = "Jedu s tebou k babičce a v lese i u vody"
        fitted = fit_text(text, width=width, height=500, largest=20, smallest=20, font="Nunito")
        assert not [line for line in fitted.lines[:-1] if line.rsplit(" ", 1)[-1] in set("skavui")]


@pytest.mark.parametrize(
    ("text", "kept", "missing"),
    [
        ("Žluťoučký kůň „úpěl“ ďábelské ódy", "Žluťoučký kůň „úpěl“ ďábelské ódy", ""),
        ("e\u0301 u\u030a", "é ů", ""),
        ("a\x00\u202eb\ufe0f", "ab", ""),
        ("ĄĆĘŁ ÆØÅ ŐŰ ẠẢ ğış", "ĄĆĘŁ ÆØÅ ŐŰ ẠẢ ğış", ""),
        ("涂 a 涂", " a ", "涂"),
        ("😀❤️", "😀❤", ""),
    ],
)
def test_characters_without_a_glyph_are_named(text: str, kept: str, missing: str) -> None:
    assert printable_text(text) == (kept, missing)


def test_a_dedication_that_is_too_long_reports_the_excess() -> None:
    small = BookOptions(paper="A5", orientation="landscape")
    assert fit_dedication("Pro Aničku", small, has_photo=False).left_out == 0
    long = fit_dedication("Milá babičko, " * 100, small, has_photo=False)
    assert 0 < long.left_out < 1400
    assert fit_dedication("Milá babičko, " * 100, small, has_photo=True).left_out > long.left_out


def test_layout_names_of_the_shop_map_to_layouts() -> None:
    layouts = {"Dvě na stránku": "two", "4 na list": "four"}
    assert known_layout(" dvě NA stránku ", layouts) == "two"  # type: ignore[arg-type]
    assert known_layout("four", {}) == "four"
    assert known_layout(None, {}) == known_layout("  ", {}) == "auto"
    assert known_layout("Šest na stránku", layouts) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"paper": "custom"},
        {"paper": "custom", "width_mm": 100},
        {"width_mm": 100, "height_mm": 100},
        {"bleed_mm": 6},
        {"paper": "custom", "width_mm": 50, "height_mm": 200, "inner_margin_mm": 40},
        {"paper": "custom", "width_mm": 50, "height_mm": 50, "has_numbers": True},
        {"paper": "custom", "width_mm": 70, "height_mm": 70, "inner_margin_mm": 30},
        {"paper": "A2"},
        {"colour": True},
    ],
)
def test_options_that_yield_no_sheet_are_rejected(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        BookOptions.model_validate(wrong)


def test_the_typefaces_are_those_of_the_notices() -> None:
    notices = (Path(__file__).parents[4] / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
    fonts = sorted(FONTS.glob("*.ttf"))
    assert [font.name for font in fonts] == ["DejaVuSans-Bold.ttf", "Nunito-Bold.ttf"]
    for font in fonts:
        assert hashlib.sha256(font.read_bytes()).hexdigest() in notices
        assert (FONTS / f"LICENSE.{font.name.split('-')[0].removesuffix('Sans').lower()}").is_file()
