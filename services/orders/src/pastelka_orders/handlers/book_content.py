"""What the books of an order are made of at one moment.

It is kept with each version, so that every attempt composes the same, and a later change is noticed.
"""

import hashlib
from collections.abc import Collection
from pathlib import Path

from pastelka_orders.book.description import Book, OrderBooks, Picture
from pastelka_orders.book.settings import Layouts, known_layout
from pastelka_orders.exports import file_name
from pastelka_orders.repository.books import ItemContent, OrderContent, PageContent


def resolved(content: OrderContent, layouts: Layouts, *, has_photos: bool) -> OrderBooks:
    """The books of an order as it is; files by their paths in the storage."""

    def picture(page: PageContent, art: str) -> Picture:
        photo = Path(page.photo_path) if has_photos and page.photo_path is not None else None
        label = file_name(content.order_number, page.label)
        return Picture(label=label, art=Path(art), photo=photo)

    def book(item: ItemContent) -> Book:
        return Book(
            title=item.title,
            dedication=item.dedication or "",
            layout=known_layout(item.layout, layouts) or "auto",
            quantity=item.quantity,
            pictures=tuple(picture(page, page.art_path) for page in item.pages if page.art_path is not None),
            line_item_id=item.line_item_id,
        )

    books = (book(item) for item in content.wanted)
    return OrderBooks(
        order_number=content.order_number,
        customer=content.customer_name or "",
        books=tuple(one for one in books if one.pictures),
    )


def without(order: OrderBooks, paths: Collection[str]) -> OrderBooks:
    """The books without the files of these ``paths``."""

    def kept(picture: Picture) -> Picture:
        is_there = picture.photo is None or str(picture.photo) not in paths
        return picture if is_there else picture.model_copy(update={"photo": None})

    def book(one: Book) -> Book:
        pictures = tuple(kept(picture) for picture in one.pictures if str(picture.art) not in paths)
        return one.model_copy(update={"pictures": pictures})

    books = (book(one) for one in order.books)
    return order.model_copy(update={"books": tuple(one for one in books if one.pictures)})


def fingerprint(order: OrderBooks) -> str:
    """The same for the same content; a field that a later release adds does not change it."""
    return hashlib.sha256(order.model_dump_json(exclude_defaults=True).encode()).hexdigest()


def fingerprints(content: OrderContent, layouts: Layouts) -> list[str]:
    """Those of an order as it is: of books without photos, and of books with them."""
    return [fingerprint(resolved(content, layouts, has_photos=has)) for has in (False, True)]
