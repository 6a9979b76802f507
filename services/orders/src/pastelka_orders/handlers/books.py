"""Composes the books of an order from local copies of their files."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath

import anyio

from pastelka_common.storage import Storage
from pastelka_orders.book.composer import FinishedBook
from pastelka_orders.book.description import Book, BookOptions, ComposedBook, OrderBooks, Picture
from pastelka_orders.book.process import BookComposer
from pastelka_orders.book.settings import Layouts, known_layout
from pastelka_orders.errors import FileMissingError
from pastelka_orders.exports import file_name
from pastelka_orders.repository.book_versions import StoredBook
from pastelka_orders.repository.books import ItemContent, OrderContent, PageContent

TEMP_PREFIX = "pastelka-book-"


@asynccontextmanager
async def composed(
    composer: BookComposer,
    storage: Storage,
    content: OrderContent,
    options: BookOptions,
    layouts: Layouts,
    *,
    has_previews: bool = False,
    created_at: datetime | None = None,
) -> AsyncIterator[tuple[ComposedBook, Path]]:
    """Compose the books of an order into a temporary folder, deleted when the block ends.

    Pages without a file are omitted. Raises ``FileMissingError``, ``BookError``, ``OSError``.
    """
    async with anyio.TemporaryDirectory(prefix=TEMP_PREFIX) as folder:
        async with AsyncExitStack() as files:
            books = await _described(storage, files, content, options, layouts)
            outcome = await composer.compose(
                books, options, Path(folder), has_previews=has_previews, created_at=created_at
            )
        yield outcome, Path(folder)


async def _described(
    storage: Storage, files: AsyncExitStack, content: OrderContent, options: BookOptions, layouts: Layouts
) -> OrderBooks:
    needs_photos = options.has_cover_photo or options.has_photo_page

    async def picture(page: PageContent) -> Picture:
        name = file_name(content.order_number, page.label)
        art = await _local(storage, files, page.art_path or "", name)
        photo = page.photo_path if needs_photos else None
        small = None if photo is None else await _local(storage, files, photo, f"{name} (photo)")
        return Picture(label=f"Page {name}", art=art, photo=small)

    async def pictures(pages: Iterable[PageContent]) -> tuple[Picture, ...]:
        return tuple([await picture(page) for page in pages if page.art_path is not None])

    def book(item: ItemContent, found: tuple[Picture, ...]) -> Book:
        return Book(
            title=item.title,
            dedication=item.dedication or "",
            layout=known_layout(item.layout, layouts) or "auto",
            quantity=item.quantity,
            pictures=found,
        )

    books = [book(item, await pictures(item.pages)) for item in content.wanted]
    return OrderBooks(
        order_number=content.order_number,
        customer=content.customer_name or "",
        books=tuple(one for one in books if one.pictures),
        has_separator=options.copies == "note",
    )


async def _local(storage: Storage, files: AsyncExitStack, path: str, name: str) -> Path:
    file = await files.enter_async_context(storage.local_copy(path))
    if not await anyio.Path(file).is_file():
        raise FileMissingError(name + PurePosixPath(path).suffix)
    return file


@asynccontextmanager
async def joined(
    composer: BookComposer, storage: Storage, orders: Sequence[tuple[OrderContent, StoredBook]]
) -> AsyncIterator[Path]:
    """Merge the finished books of several orders into one PDF in a temporary folder.

    Raises ``FileMissingError``, ``BookError``, ``OSError``.
    """
    async with anyio.TemporaryDirectory(prefix=TEMP_PREFIX) as folder:
        async with AsyncExitStack() as files:
            parts = []
            for content, stored in orders:
                options = BookOptions.model_validate(stored.options)
                parts.append(
                    FinishedBook(
                        books=OrderBooks(
                            order_number=content.order_number,
                            customer=content.customer_name or "",
                            books=tuple(
                                Book(title=item.title, quantity=item.quantity, pictures=())
                                for item in content.wanted
                            ),
                            has_separator=options.copies == "note",
                        ),
                        options=options,
                        file=await _local(storage, files, stored.path, content.order_number),
                    )
                )
            await composer.join(parts, Path(folder))
        yield Path(folder)
