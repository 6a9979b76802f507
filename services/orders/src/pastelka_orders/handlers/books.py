"""Books of an order, composed with the files they are made of at hand."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import anyio

from pastelka_common.storage import Storage, StorageUnavailableError
from pastelka_orders.book.composer import FinishedBook
from pastelka_orders.book.description import Book, BookOptions, ComposedBook, OrderBooks, Picture
from pastelka_orders.book.process import BookComposer, BookError, no_room
from pastelka_orders.errors import NO_ROOM, FileMissingError
from pastelka_orders.repository.book_versions import StoredBook

TEMP_PREFIX = "pastelka-book-"


@asynccontextmanager
async def composed(
    composer: BookComposer,
    storage: Storage,
    order: OrderBooks,
    options: BookOptions,
    *,
    has_previews: bool = False,
    created_at: datetime | None = None,
) -> AsyncIterator[tuple[ComposedBook, Path]]:
    """Compose the books of an order into a temporary folder, deleted when the block ends.

    ``order`` names files of the storage. Raises ``FileMissingError``, ``BookError``, ``ComposerError``,
    ``OSError`` (of the storage).
    """
    if not order.books:
        raise BookError("no_pages", "No page to print; choose a completed one.")
    books = order.model_copy(update={"has_separator": options.copies == "note"})
    async with AsyncExitStack() as stack:
        with _temp_room():
            folder = Path(await stack.enter_async_context(anyio.TemporaryDirectory(prefix=TEMP_PREFIX)))
            async with AsyncExitStack() as files:
                outcome = await composer.compose(
                    await _Copies(storage, files).of(books),
                    options,
                    folder,
                    has_previews=has_previews,
                    created_at=created_at,
                )
        yield outcome, folder


@asynccontextmanager
async def joined(
    composer: BookComposer, storage: Storage, finished: Sequence[StoredBook]
) -> AsyncIterator[Path]:
    """Merge the finished books of several orders into one PDF in a temporary folder.

    The separator sheets say what the books hold. Raises ``FileMissingError``, ``BookError``,
    ``ComposerError``, ``OSError`` (of the storage).
    """
    async with AsyncExitStack() as stack:
        with _temp_room():
            folder = Path(await stack.enter_async_context(anyio.TemporaryDirectory(prefix=TEMP_PREFIX)))
            async with AsyncExitStack() as files:
                copies = _Copies(storage, files)
                parts = [await copies.finished(stored) for stored in finished]
                await composer.join(parts, folder)
        yield folder


@dataclass(frozen=True)
class _Copies:
    """Files of the storage in the file system, for as long as ``files`` is open."""

    storage: Storage
    files: AsyncExitStack

    async def of(self, order: OrderBooks) -> OrderBooks:
        """The same books with paths of files in the file system."""
        books = [await self._book(book) for book in order.books]
        return order.model_copy(update={"books": tuple(books)})

    async def finished(self, stored: StoredBook) -> FinishedBook:
        """A PDF, and what its separator sheet says."""
        options = BookOptions.model_validate(stored.options)
        order = OrderBooks.model_validate(stored.content)
        return FinishedBook(
            books=order.model_copy(update={"has_separator": options.copies == "note"}),
            options=options,
            file=await self._file(Path(stored.path), order.order_number),
        )

    async def _book(self, book: Book) -> Book:
        pictures = [await self._picture(picture) for picture in book.pictures]
        return book.model_copy(update={"pictures": tuple(pictures)})

    async def _picture(self, picture: Picture) -> Picture:
        photo = picture.photo
        return Picture(
            label=picture.label,
            art=await self._file(picture.art, picture.label),
            photo=None if photo is None else await self._file(photo, f"{picture.label} (photo)"),
        )

    async def _file(self, path: Path, name: str) -> Path:
        file = await self.files.enter_async_context(self.storage.local_copy(str(path)))
        if not await anyio.Path(file).is_file():
            raise FileMissingError(name + path.suffix)
        return file


@contextmanager
def _temp_room() -> Iterator[None]:
    """Distinguish a full temporary folder from a full storage: the block must not write to the storage."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM or isinstance(error, StorageUnavailableError):
            raise
        raise no_room() from error
