"""Which files of an order's pages are there, and how large its pictures are, without reading them whole."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Literal

import anyio
from PIL import Image

from pastelka_common.storage import Storage, UnsafePathError
from pastelka_orders.book.description import BookOptions
from pastelka_orders.repository.books import OrderContent

FileState = tuple[int, int] | Literal["vectors", "missing", "damaged"]
"""Width and height in pixels of a picture; anything that is not measured is ``vectors``."""
FileStates = Mapping[str, FileState]
"""By path."""

_HEAD = 64 * 1024
"""A picture's size is in its first bytes."""
_UNREADABLE = (OSError, SyntaxError, ValueError)

# Of one process: every change of an option asks again.
_AT_ONCE = anyio.CapacityLimiter(8)


async def look_for(storage: Storage, content: OrderContent, options: BookOptions) -> FileStates:
    """The states of all files that the order's book shows. Raises ``OSError``."""
    found: dict[str, FileState] = {}

    async def look(path: str, is_raster: bool) -> None:
        async with _AT_ONCE:
            found[path] = await (_measured(storage, path) if is_raster else _state(storage, path))

    try:
        async with anyio.create_task_group() as group:
            for path, is_raster in _wanted(content, options).items():
                group.start_soon(look, path, is_raster)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return found


def _wanted(content: OrderContent, options: BookOptions) -> dict[str, bool]:
    """Paths, and whether they are of pictures that are printed as pixels."""
    found: dict[str, bool] = {}
    for page in (page for item in content.wanted for page in item.pages if page.art_path is not None):
        if options.has_photos and page.photo_path is not None:
            found[page.photo_path] = False
        found[page.art_path or ""] = not page.has_fitting_svg
    return found


def unusable(states: FileStates) -> set[str]:
    """Paths of files that cannot be printed."""
    return {path for path, state in states.items() if state in {"missing", "damaged"}}


async def _state(storage: Storage, path: str) -> FileState:
    return "missing" if await storage.size(path) is None else "vectors"


async def _measured(storage: Storage, path: str) -> FileState:
    try:
        head = await storage.read_head(path, _HEAD)
    except (FileNotFoundError, NotADirectoryError, UnsafePathError):
        return "missing"
    size = _size(head)
    if size is None and len(head) == _HEAD:  # something long comes before
        async with storage.local_copy(path) as file:
            size = await anyio.to_thread.run_sync(_size, file)
    return size or "damaged"


def _size(source: bytes | Path) -> tuple[int, int] | None:
    try:
        with Image.open(BytesIO(source) if isinstance(source, bytes) else source) as image:
            return image.size
    except _UNREADABLE as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        return None
