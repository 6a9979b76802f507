"""Each finding of the preflight, with its sentence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from pastelka_orders.book.description import BookOptions
from pastelka_orders.handlers.page_files import FileState
from pastelka_orders.handlers.preflight import Code, Finding, check
from pastelka_orders.repository.books import ItemContent, OrderContent, PageContent

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PAGE = PageContent(
    image_id=7,
    label="1",
    photo_path="1/1/image_1.jpg",
    photo_replaced_at=None,
    coloring_id=3,
    coloring_path="1/1/coloring/v1/image_1.png",
    coloring_asked_at=NOW,
    svg_of=3,
    svg_path="1/1/svg/v1/image_1.svg",
    newest_status="completed",
    newest_is_active=False,
    newest_id=3,
    completed_asked_at=NOW,
)
ITEM = ItemContent(5, 1, "Omalovánky", 1, "Pro Aničku", None, [PAGE])
LARGE = (1700, 2400)


def order(*items: ItemContent, **values: Any) -> OrderContent:
    return replace(OrderContent(1, "1270", "Jana", False, list(items or (ITEM,))), **values)


def item(*pages: PageContent, **values: Any) -> OrderContent:
    return order(replace(ITEM, pages=list(pages or (PAGE,)), **values))


def page(**values: Any) -> OrderContent:
    return item(replace(PAGE, **values))


NO_PAGE: dict[str, Any] = {
    "coloring_id": None,
    "coloring_path": None,
    "coloring_asked_at": None,
    "svg_path": None,
    "svg_of": None,
}
OTHER = item(replace(PAGE, **NO_PAGE), replace(PAGE, image_id=8, label="2"))
FILES: dict[str, FileState] = {
    PAGE.coloring_path or "": LARGE,
    PAGE.svg_path or "": "vectors",
    "small.png": (816, 1226),
    "gone.png": "missing",
    "gone.svg": "missing",
    "cut.png": "damaged",
}

FINDINGS: dict[str, tuple[OrderContent, str, bool, str]] = {
    "no_chosen_page": (OTHER, "No page is chosen for photo 1; choose a completed one.", True, "image"),
    "page_in_progress": (
        item(replace(PAGE, **NO_PAGE, newest_is_active=True), replace(PAGE, image_id=8)),
        "Page 1 is still being generated; wait until it completes.",
        True,
        "image",
    ),
    "page_in_error": (
        item(replace(PAGE, **NO_PAGE, newest_status="error"), replace(PAGE, image_id=8)),
        "Page 1 could not be generated; retry it.",
        True,
        "image",
    ),
    "low_resolution": (
        page(svg_path=None, svg_of=None, coloring_path="small.png"),
        "Page 1 prints at 112 pixels per inch; at least 200 are needed:"
        " generate an SVG of it, or generate it with more megapixels.",
        False,
        "image",
    ),
    "file_missing": (
        page(svg_path=None, svg_of=None, coloring_path="gone.png"),
        "The file of page 1 is not in the storage; generate it again.",
        True,
        "image",
    ),
    "file_missing of an SVG": (
        page(svg_path="gone.svg"),
        "The file of page 1 is not in the storage; generate it again.",
        True,
        "image",
    ),
    "file_damaged": (
        page(svg_path=None, svg_of=None, coloring_path="cut.png"),
        "The file of page 1 is damaged; generate it again.",
        True,
        "image",
    ),
    "newer_page_in_progress": (
        page(newest_id=4, newest_is_active=True),
        "Another page of photo 1 is being generated; the chosen one is printed.",
        False,
        "image",
    ),
    "newer_page_in_error": (
        page(newest_id=4, newest_status="error", newest_error_code="provider_failed"),
        "The newest page of photo 1 could not be generated; the chosen one is printed.",
        False,
        "image",
    ),
    "photo_replaced by the shop": (  # then nothing is chosen any more
        item(replace(PAGE, **NO_PAGE, photo_replaced_at=NOW + timedelta(days=1)), replace(PAGE, image_id=8)),
        "The photo of page 1 was replaced after the page was generated.",
        True,
        "image",
    ),
    "svg_outdated": (
        page(svg_of=2),
        "The SVG of page 1 is of an older page; the chosen page prints as a bitmap.",
        False,
        "image",
    ),
    "photo_replaced": (
        page(photo_replaced_at=NOW + timedelta(days=1)),
        "The photo of page 1 was replaced after the page was generated.",
        True,
        "image",
    ),
    "photo_edited": (
        page(is_of_other_edit=True),
        "Page 1 was generated before its photo was edited.",
        False,
        "image",
    ),
    "item_removed": (
        order(ITEM, replace(ITEM, line_item_id=6, title="Druhé", quantity=0, pages=[])),
        "Druhé was removed in the shop; it is not printed.",
        False,
        "item",
    ),
    "order_cancelled": (
        order(is_cancelled=True),
        "Order 1270 was cancelled in the shop; nothing is printed for it.",
        True,
        "order",
    ),
    "no_pages": (
        order(replace(ITEM, pages=[])),
        "No page to print; choose a completed one.",
        True,
        "order",
    ),
    "unknown_layout": (
        item(layout="Šest na stránku"),
        "The layout 'Šest na stránku' is unknown; one picture per sheet is printed."
        " Add the word to PRINT_LAYOUTS, or choose a layout here.",
        False,
        "item",
    ),
    "dedication_too_long": (
        item(dedication="slovo " * 1000),
        "The dedication of Omalovánky is too long for the cover by 4746 characters.",
        True,
        "item",
    ),
    "changed_by_shop": (
        item(shop_changed_at=NOW),
        "The shop changed Omalovánky after it was edited here; the values set here are printed.",
        False,
        "item",
    ),
    "characters_missing": (
        item(dedication="Pro 涂 a 色"),
        "Characters of Omalovánky that no typeface has are omitted: 涂色",
        False,
        "item",
    ),
}


def found(code: str) -> list[Finding]:
    """The findings of the order that has this one."""
    return check(FINDINGS[code][0], BookOptions(), {"Dvě": "two"}, FILES)


@pytest.mark.parametrize("code", FINDINGS)
def test_every_finding_has_its_message(code: str) -> None:
    _, sentence, is_error, about = FINDINGS[code]
    (finding,) = found(code)
    assert (finding.code, finding.message, finding.is_error) == (
        code.split(maxsplit=1)[0],
        sentence,
        is_error,
    )
    assert (finding.line_item_id is not None) == (about != "order")
    assert (finding.image_id is not None) == (about == "image")


def test_every_finding_code_is_tested() -> None:
    assert {name.split(maxsplit=1)[0] for name in FINDINGS} == set(get_args(Code))


VALUES: dict[str, dict[str, str | int]] = {
    "low_resolution": {"page": "1", "ppi": 112, "needed": 200},
    "item_removed": {"title": "Druhé"},
    "order_cancelled": {"order": "1270"},
    "no_pages": {},
    "changed_by_shop": {"title": "Omalovánky"},
    "unknown_layout": {"title": "Omalovánky", "layout": "Šest na stránku"},
    "dedication_too_long": {"title": "Omalovánky", "characters": 4746},
    "characters_missing": {"title": "Omalovánky", "characters": "涂色"},
}


@pytest.mark.parametrize("code", FINDINGS)
def test_every_finding_carries_the_values_of_its_message(code: str) -> None:
    (finding,) = found(code)
    assert finding.values == VALUES.get(code.split(maxsplit=1)[0], {"page": "1"})
    assert all(str(value) in finding.message for name, value in finding.values.items() if name != "title")


def test_a_valid_book_has_no_findings() -> None:
    assert check(order(), BookOptions(), {}, FILES) == []
    # A person cancelled the newest page and keeps the chosen one.
    cancelled = page(newest_id=4, newest_status="error", newest_error_code="cancelled")
    assert check(cancelled, BookOptions(), {}, FILES) == []
    assert check(item(layout="Dvě", dedication=None), BookOptions(), {"dvě": "two"}, {}) == []


@pytest.mark.parametrize(
    ("options", "layout", "finds"),
    [
        ({}, None, True),
        ({"paper": "A5"}, None, False),
        ({}, "two", False),
        ({"orientation": "portrait"}, "one", True),
    ],
)
def test_the_resolution_is_computed_for_the_printed_size(
    options: Any, layout: str | None, finds: bool
) -> None:
    content = order(replace(ITEM, layout=layout, pages=[replace(PAGE, svg_path=None, svg_of=None)]))
    found = check(content, BookOptions(**options), {}, {PAGE.coloring_path or "": (1100, 1500)})
    assert [one.code for one in found] == (["low_resolution"] if finds else [])
