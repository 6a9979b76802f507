"""The front door for photos: many at once, off the event loop, in bounded memory."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from anyio import to_thread

from pastelka_orders.photos.decoders import Decoders
from pastelka_orders.photos.encoding import Suffix
from pastelka_orders.photos.errors import PhotoRefusedError, PhotosRefusedError, Refusal, display_name
from pastelka_orders.photos.normalise import NormalisedPhoto, too_large
from pastelka_orders.photos.photo_limits import DecoderBounds, PhotoLimits
from pastelka_orders.photos.spool import Upload, chunks_of, spool


@dataclass(frozen=True, slots=True)
class StagedPhoto:
    """An accepted photo in a temporary file, gone when its ``staged`` block ends; size in pixels."""

    name: str
    path: Path
    suffix: Suffix
    width: int
    height: int
    thumbnail: bytes | None = None


@dataclass(frozen=True, slots=True)
class Staged:
    """What became of files sent together, in the order in which they were sent; at least one is a photo."""

    photos: Sequence[StagedPhoto]
    refused: Sequence[PhotoRefusedError] = ()


class PhotoIntake:
    """Checks and normalises photos in at most ``workers`` processes, at most one large photo at a time.

    ``bounds`` are those of one such process; they follow from the limits.
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
        """The photo in ``source`` (a file or its content), ready to be stored.

        Raises :class:`PhotoRefusedError` with the display form of ``name``.
        """
        try:
            return await to_thread.run_sync(self._normalise, source, limiter=self._threads)
        except Refusal as refusal:
            raise PhotoRefusedError(display_name(name), refusal.code, refusal.reason) from refusal

    @asynccontextmanager
    async def staged(self, uploads: Sequence[Upload]) -> AsyncIterator[Staged]:
        """The photos among ``uploads`` in temporary files while the block lasts, and the others' faults.

        Raises :class:`PhotosRefusedError` that names every file when none of them is a photo.
        """
        _check_count(len(uploads), self.limits)
        async with anyio.TemporaryDirectory(prefix="pastelka-photos-") as folder:
            yield await self._stage_all(uploads, Path(folder))

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
        name = display_name(upload.filename)
        try:
            await spool(chunks_of(upload), target, limits=self.limits)
        except Refusal as refusal:
            raise PhotoRefusedError(name, refusal.code, refusal.reason) from refusal
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


def _check_count(count: int, limits: PhotoLimits) -> None:
    if not count:
        raise PhotosRefusedError("No photo was sent; send at least one.", code="photos_missing")
    if count > limits.max_photos:
        reason = f"{count} photos were sent; at most {limits.max_photos} at once are accepted."
        raise PhotosRefusedError(reason, code="photos_too_many")


def _all_refused(faults: Sequence[PhotoRefusedError]) -> PhotosRefusedError:
    reason = f"{len(faults)} of {len(faults)} files cannot be used as photos; nothing was stored"
    return PhotosRefusedError(reason, code="photos_refused", refusals=faults)
