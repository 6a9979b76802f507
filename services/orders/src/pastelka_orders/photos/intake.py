"""Intake of uploads: concurrent, off the event loop, in bounded memory and temporary files."""

import hashlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import anyio
import structlog
from anyio import to_thread

from pastelka_orders.photos.decoders import Decoders
from pastelka_orders.photos.errors import (
    PhotoRefusedError,
    PhotosRefusedError,
    Refusal,
    display_name,
    too_large,
)
from pastelka_orders.photos.formats import NormalisedPhoto, Suffix
from pastelka_orders.photos.photo_limits import DecoderBounds, PhotoLimits

_CHUNK = 256 * 1024
_PREFIXES = (
    "pastelka-photos-",
    "pastelka-download-",
    "pastelka-decoding-",
    "pastelka-file-",
    "pastelka-book-",
)
_MAX_AGE_SECONDS = 6 * 3600.0
"""Longer than any upload, download or book takes."""
log = structlog.get_logger(__name__)


class Upload(Protocol):
    """A file of a multipart form, such as Starlette's ``UploadFile``."""

    @property
    def filename(self) -> str | None:
        """The name from the client."""

    async def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes; empty at the end."""


@dataclass(frozen=True, slots=True)
class StagedPhoto:
    """An accepted photo in a temporary file, deleted when the ``staged`` block ends; size in pixels."""

    name: str
    path: Path
    suffix: Suffix
    width: int
    height: int
    thumbnail: bytes | None = None


@dataclass(frozen=True, slots=True)
class ReceivedPhoto:
    """A file as it was sent, in a temporary file, not decoded yet; ``digest`` is its SHA-256.

    ``key`` is the client's, the same when the request is repeated.
    """

    name: str
    path: Path
    digest: bytes
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Staged:
    """Accepted and refused files of one upload, in order; at least one is accepted."""

    photos: Sequence[StagedPhoto]
    refused: Sequence[PhotoRefusedError] = ()


class PhotoIntake:
    """Checks and normalises photos in at most ``workers`` processes, at most one large photo at a time.

    ``bounds`` are those of one process, by default derived from the limits.
    """

    def __init__(
        self,
        limits: PhotoLimits | None = None,
        *,
        workers: int = 2,
        bounds: DecoderBounds | None = None,
    ) -> None:
        self.limits = limits or PhotoLimits()
        self._threads = anyio.CapacityLimiter(workers)
        self._uploads = anyio.CapacityLimiter(workers)
        self._decoders = Decoders(self.limits, bounds or DecoderBounds.of(self.limits))

    async def aclose(self) -> None:
        """End the processes."""
        await to_thread.run_sync(self._decoders.close)

    async def normalise(self, source: Path | bytes, *, name: str | None) -> NormalisedPhoto:
        """Decode and normalise the photo in ``source`` (a file or its content) for storage.

        Raises :class:`PhotoRefusedError` with the display form of ``name``.
        """
        with _named(name):
            return await to_thread.run_sync(self._normalise, source, limiter=self._threads)

    @asynccontextmanager
    async def staged(self, uploads: Sequence[Upload]) -> AsyncIterator[Staged]:
        """Stage the photos of ``uploads`` in temporary files for the block; returns refusals for the others.

        Raises :class:`PhotosRefusedError`, naming every file, if none of them is a photo.
        """
        _check_count(len(uploads), self.limits)
        async with anyio.TemporaryDirectory(prefix="pastelka-photos-") as folder:
            yield await self._stage_all(uploads, Path(folder))

    @asynccontextmanager
    async def received(
        self, chunks: AsyncIterable[bytes], *, name: str | None, key: str | None = None
    ) -> AsyncIterator[ReceivedPhoto]:
        """Write one photo to a temporary file for the block.

        Raises :class:`PhotoRefusedError` if it is too large, without reading the rest.
        """
        async with anyio.TemporaryDirectory(prefix="pastelka-photos-") as folder:
            target, digest = Path(folder) / "sent", hashlib.sha256()
            with _named(name):
                await spool(_hashed(chunks, digest), target, limits=self.limits)
            yield ReceivedPhoto(display_name(name), target, digest.digest(), key)

    async def decoded(self, received: ReceivedPhoto) -> StagedPhoto:
        """Decode and normalise a received photo in place. Raises :class:`PhotoRefusedError`."""
        return await self._decode(received.path, received.name)

    async def _stage_all(self, uploads: Sequence[Upload], folder: Path) -> Staged:
        staged: dict[int, StagedPhoto] = {}
        refused: dict[int, PhotoRefusedError] = {}

        async def stage(position: int, upload: Upload) -> None:
            try:
                async with self._uploads:
                    staged[position] = await self._stage(upload, folder / str(position))
            except PhotoRefusedError as error:
                error.position = position
                refused[position] = error

        async with anyio.create_task_group() as group:
            for position, upload in enumerate(uploads, start=1):
                group.start_soon(stage, position, upload)
        faults = [refused[position] for position in sorted(refused)]
        if not staged:
            raise _all_refused(faults)
        return Staged([staged[position] for position in sorted(staged)], faults)

    async def _stage(self, upload: Upload, target: Path) -> StagedPhoto:
        with _named(upload.filename):
            await spool(chunks_of(upload), target, limits=self.limits)
        return await self._decode(target, display_name(upload.filename))

    async def _decode(self, target: Path, name: str) -> StagedPhoto:
        photo = await self.normalise(target, name=name)
        await anyio.Path(target).write_bytes(photo.content)
        return StagedPhoto(name, target, photo.suffix, photo.width, photo.height, photo.thumbnail)

    def _normalise(self, source: Path | bytes) -> NormalisedPhoto:
        with TemporaryDirectory(prefix="pastelka-decoding-") as folder:
            if isinstance(source, bytes):
                content, source = source, Path(folder) / "sent"
                source.write_bytes(content)
            if source.stat().st_size > self.limits.max_bytes:
                raise too_large(self.limits)
            return self._decoders.decode(source, Path(folder))


@contextmanager
def _named(name: str | None) -> Iterator[None]:
    """Name the file that is refused."""
    try:
        yield
    except Refusal as refusal:
        raise PhotoRefusedError(display_name(name), refusal.code, refusal.reason) from refusal


async def _hashed(chunks: AsyncIterable[bytes], digest: "hashlib._Hash") -> AsyncIterator[bytes]:
    async for chunk in chunks:
        digest.update(chunk)
        yield chunk


def _check_count(count: int, limits: PhotoLimits) -> None:
    if not count:
        raise PhotosRefusedError("The upload has no photo; send at least one.", code="photos_missing")
    if count > limits.max_photos:
        reason = f"The upload has {count} photos; the limit is {limits.max_photos}."
        raise PhotosRefusedError(reason, code="photos_too_many")


def _all_refused(faults: Sequence[PhotoRefusedError]) -> PhotosRefusedError:
    reason = f"{len(faults)} of {len(faults)} files cannot be used as photos; nothing was stored"
    return PhotosRefusedError(reason, code="photos_refused", refusals=faults)


async def spool(chunks: AsyncIterable[bytes], target: Path, *, limits: PhotoLimits) -> int:
    """Write ``chunks`` to ``target``; returns their number of bytes.

    Raises :class:`Refusal` (``photo_too_large``) at the first chunk beyond ``limits.max_bytes``, without
    reading another.
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
    """The bytes of ``upload`` in chunks."""
    while chunk := await upload.read(_CHUNK):
        yield chunk


async def remove_temp_folders() -> int:
    """Delete temporary folders unmodified for six hours; returns their number."""
    return await to_thread.run_sync(_remove)


def _remove() -> int:
    before = time.time() - _MAX_AGE_SECONDS
    found = [folder for folder in Path(tempfile.gettempdir()).iterdir() if _is_abandoned(folder, before)]
    for folder in found:
        shutil.rmtree(folder, ignore_errors=True)
    if found:
        log.info("temporary folders deleted", folders=len(found))
    return len(found)


def _is_abandoned(folder: Path, before: float) -> bool:
    try:
        is_ours = folder.name.startswith(_PREFIXES) and folder.is_dir() and not folder.is_symlink()
        return is_ours and folder.stat().st_mtime < before
    except OSError:  # another user's, or deleted meanwhile
        return False
