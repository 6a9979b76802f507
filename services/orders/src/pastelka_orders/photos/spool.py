"""Bytes from a stranger to a file, never more of them than allowed."""

from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import Protocol

import anyio

from pastelka_orders.photos.normalise import too_large
from pastelka_orders.photos.photo_limits import PhotoLimits

_CHUNK = 256 * 1024


class Upload(Protocol):
    """A file of a multipart form, as Starlette's ``UploadFile`` is one."""

    @property
    def filename(self) -> str | None:
        """The name its sender gave it."""

    async def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes at most; none at the end."""


async def spool(chunks: AsyncIterable[bytes], target: Path, *, limits: PhotoLimits) -> int:
    """Write ``chunks`` to ``target`` and answer their number of bytes.

    Raises :class:`Refusal` (``photo_too_large``) at the first chunk beyond ``limits.max_bytes``, and does
    not ask for another.
    """
    written = 0
    async with await anyio.open_file(target, "wb") as file:
        async for chunk in chunks:
            written += len(chunk)
            if written > limits.max_bytes:
                raise too_large(limits)
            await file.write(chunk)
    return written


async def chunks_of(upload: Upload) -> AsyncIterator[bytes]:
    """The bytes of ``upload``, piece by piece."""
    while chunk := await upload.read(_CHUNK):
        yield chunk
