"""Preflight of a book before it is printed; one sentence per finding."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pastelka_orders.book.description import BookOptions
from pastelka_orders.book.imposition import cells_of, fit_dedication
from pastelka_orders.book.paper import Area, Sheet
from pastelka_orders.book.settings import Layouts, known_layout
from pastelka_orders.book.text_fit import printable_text
from pastelka_orders.handlers.page_files import FileStates
from pastelka_orders.repository.books import ItemContent, OrderContent, PageContent

MIN_PPI = 200
_MM = 25.4

Code = Literal[
    "order_cancelled",
    "item_removed",
    "no_pages",
    "no_chosen_page",
    "page_in_error",
    "page_in_progress",
    "newer_page_in_progress",
    "newer_page_in_error",
    "file_missing",
    "file_damaged",
    "low_resolution",
    "svg_outdated",
    "photo_replaced",
    "photo_edited",
    "unknown_layout",
    "dedication_too_long",
    "characters_missing",
    "changed_by_shop",
]
# These block the book; the others are warnings.
_ERRORS: frozenset[Code] = frozenset(
    {
        "order_cancelled",
        "no_pages",
        "no_chosen_page",
        "page_in_error",
        "page_in_progress",
        "file_missing",
        "file_damaged",
        "photo_replaced",
        "dedication_too_long",
    }
)

_REPLACED = "The photo of page {} was replaced after the page was generated."
NO_PAGES = "No page to print; choose a completed one."

Values = Mapping[str, str | int]
"""What a sentence names, for one in another language."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, with the line item and the image it concerns."""

    code: Code
    message: str
    line_item_id: int | None = None
    image_id: int | None = None
    values: Values = field(default_factory=dict)

    @property
    def is_error(self) -> bool:
        """Whether it blocks the book."""
        return self.code in _ERRORS


def check(content: OrderContent, options: BookOptions, layouts: Layouts, files: FileStates) -> list[Finding]:
    """All findings, in the order of the book. Files that are not in ``files`` are not checked."""
    if content.is_cancelled:
        message = f"Order {content.order_number} was cancelled in the shop; nothing is printed for it."
        return [Finding("order_cancelled", message, values={"order": content.order_number})]
    found = [finding for item in content.items for finding in _item(item, options, layouts, files)]
    if not any(page.art_path for item in content.wanted for page in item.pages):
        found.append(Finding("no_pages", NO_PAGES))
    return found


def removed(content: OrderContent, line_item_ids: Collection[int | None]) -> list[Finding]:
    """Findings for those of these line items that the shop has removed."""
    return [
        Finding(
            "item_removed", f"{item.title} was removed in the shop; compose a new book.", item.line_item_id
        )
        for item in content.items
        if item.quantity == 0 and item.line_item_id in line_item_ids
    ]


def _item(item: ItemContent, options: BookOptions, layouts: Layouts, files: FileStates) -> Iterator[Finding]:
    if item.quantity == 0:
        message = f"{item.title} was removed in the shop; it is not printed."
        yield _about(item, "item_removed", message)
        return
    if item.shop_changed_at is not None:
        message = f"The shop changed {item.title} after it was edited here; the values set here are printed."
        yield _about(item, "changed_by_shop", message)
    layout = known_layout(item.layout, layouts)
    if layout is None:
        message = (
            f"The layout {item.layout!r} is unknown; one picture per sheet is printed."
            " Add the word to PRINT_LAYOUTS, or choose a layout here."
        )
        yield _about(item, "unknown_layout", message, layout=item.layout or "")
    yield from _texts(item, options)
    (cell, *_) = cells_of(layout or "auto", options)
    for page in item.pages:
        found = (*((*one, {}) for one in _page(page)), *_files(page, cell, options, files))
        for code, message, values in found:
            yield Finding(code, message, item.line_item_id, page.image_id, {"page": page.label, **values})


def _about(item: ItemContent, code: Code, message: str, **values: str | int) -> Finding:
    return Finding(code, message, item.line_item_id, values={"title": item.title, **values})


def _files(
    page: PageContent, cell: Area, options: BookOptions, files: FileStates
) -> Iterator[tuple[Code, str, Values]]:
    if page.art_path is None:
        return
    if options.has_photos and files.get(page.photo_path or "") == "missing":
        yield "file_missing", f"The photo of page {page.label} is not in the storage.", {}
    match files.get(page.art_path):
        case "missing":
            yield (
                "file_missing",
                f"The file of page {page.label} is not in the storage; generate it again.",
                {},
            )
        case "damaged":
            yield "file_damaged", f"The file of page {page.label} is damaged; generate it again.", {}
        case (int(width), int(height)):
            ppi = int(_MM / cell.fitted((width, height), can_turn=Sheet(options).can_turn))
            if ppi < MIN_PPI:
                yield (
                    "low_resolution",
                    f"Page {page.label} prints at {ppi} pixels per inch; at least {MIN_PPI} are needed:"
                    " generate an SVG of it, or generate it with more megapixels.",
                    {"ppi": ppi, "needed": MIN_PPI},
                )


def _texts(item: ItemContent, options: BookOptions) -> Iterator[Finding]:
    dedication = item.dedication or ""
    first = next((page for page in item.pages if page.art_path is not None), None)
    has_photo = options.has_cover_photo and first is not None and first.photo_path is not None
    left_out = fit_dedication(dedication, options, has_photo=has_photo).left_out
    if left_out:
        message = f"The dedication of {item.title} is too long for the cover by {left_out} characters."
        yield _about(item, "dedication_too_long", message, characters=left_out)
    missing = printable_text(f"{item.title}\n{dedication}")[1]
    if missing:
        message = f"Characters of {item.title} that no typeface has are omitted: {missing}"
        yield _about(item, "characters_missing", message, characters=missing)


def _page(page: PageContent) -> Iterator[tuple[Code, str]]:
    if page.art_path is None:
        if page.newest_is_active:
            yield "page_in_progress", f"Page {page.label} is still being generated; wait until it completes."
        elif page.newest_status == "error":
            yield "page_in_error", f"Page {page.label} could not be generated; retry it."
        elif page.is_older_than_photo:
            yield "photo_replaced", _REPLACED.format(page.label)
        else:
            yield "no_chosen_page", f"No page is chosen for photo {page.label}; choose a completed one."
        return
    if page.is_older_than_photo:
        yield "photo_replaced", _REPLACED.format(page.label)
    elif page.is_of_other_edit:
        yield "photo_edited", f"Page {page.label} was generated before its photo was edited."
    if page.has_newer and page.newest_is_active:
        message = f"Another page of photo {page.label} is being generated; the chosen one is printed."
        yield "newer_page_in_progress", message
    elif page.has_newer and page.newest_status == "error" and page.newest_error_code != "cancelled":
        message = f"The newest page of photo {page.label} could not be generated; the chosen one is printed."
        yield "newer_page_in_error", message
    if page.svg_path is not None and not page.has_fitting_svg:
        message = f"The SVG of page {page.label} is of an older page; the chosen page prints as a bitmap."
        yield "svg_outdated", message
