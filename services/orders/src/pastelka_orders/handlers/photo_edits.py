"""Edits of photos: the edited photo is a file of its own, the original stays as it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import OrderChanged
from pastelka_common.storage import Storage, edited_photo_path, thumbnail_path
from pastelka_common.thumbnails import store_thumbnail
from pastelka_orders.database import Database
from pastelka_orders.domain.photo_edit import PhotoEdit
from pastelka_orders.errors import (
    FileMissingError,
    ImageApprovedError,
    ImageNotFoundError,
    PhotoMissingError,
    PreconditionFailedError,
)
from pastelka_orders.outbox import Outbox
from pastelka_orders.photos.errors import PhotoRefusedError, PhotosRefusedError
from pastelka_orders.photos.formats import NormalisedPhoto
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.repository import photo_edits, unused_files
from pastelka_orders.repository.photo_edits import PhotoRecord

IsExpected = Callable[[PhotoRecord], bool]


@dataclass(frozen=True)
class PhotoEditor:
    """Edits photos within the limits of an upload."""

    database: Database
    storage: Storage
    intake: PhotoIntake

    async def change(
        self, order_number: str, image_id: int, values: Mapping[str, Any], is_expected: IsExpected
    ) -> PhotoRecord:
        """Change parameters of the edit, and store the edited photo; returns the photo's new state.

        No transaction is open while the photo is processed. Raises ``PreconditionFailedError`` if
        ``is_expected`` fails, or if the photo or its edit changes meanwhile; ``ImageApprovedError``;
        ``PhotosRefusedError`` if the edited photo would be too small.
        """
        photo = await self.database.read(lambda c: photo_edits.find(c, order_number, image_id))
        photo, original = _editable(photo, image_id, is_expected)
        edit = PhotoEdit.of(photo.photo_edit).changed(values)
        if edit == PhotoEdit.of(photo.photo_edit) and not photo.is_file_lost:
            return photo
        path = None if edit.is_none else await self._store(photo, original, edit)
        return await self.database.write(lambda c: _save(c, photo, edit, path, is_expected))

    async def _store(self, photo: PhotoRecord, original: str, edit: PhotoEdit) -> str:
        edited = await self._edited(photo, original, edit)
        path = await self.database.write(lambda c: _noted_path(c, photo, original, edit, edited.suffix))
        await self.storage.write(path, edited.content)
        await store_thumbnail(self.storage, path, edited.thumbnail)
        return path

    async def _edited(self, photo: PhotoRecord, original: str, edit: PhotoEdit) -> NormalisedPhoto:
        async with self.storage.local_copy(original) as source:
            try:
                return await self.intake.normalise(source, name=None, edit=edit)
            except FileNotFoundError:
                raise FileMissingError(f"the photo of image {photo.id}") from None
            except PhotoRefusedError as refused:
                raise PhotosRefusedError(refused.reason, code=refused.code) from refused


async def discard_unused(database: Database, storage: Storage) -> int:
    """Delete the files of edits that were replaced, or that a killed process left; returns their number."""
    unused = await database.write(unused_files.begin_deleting)
    for order_id, path in unused:
        await storage.remove(path)
        await storage.remove(thumbnail_path(path))
        await database.write(partial(unused_files.delete, order_id=order_id, path=path))
    return len(unused)


async def _noted_path(
    connection: AsyncConnection, photo: PhotoRecord, original: str, edit: PhotoEdit, suffix: str
) -> str:
    """The path for the edited photo, noted: of a process that is killed now, the file is found."""
    if await photo_edits.lock(connection, photo.order_number, photo.id) is None:
        raise ImageNotFoundError(photo.id)
    for number in count():
        path = edited_photo_path(
            order_id=photo.order_id,
            line_item_id=photo.line_item_id,
            original=original,
            edit=f"{edit.digest()} {number}",
            suffix=suffix,
        )
        if await unused_files.note(connection, photo.order_id, path):
            return path
    raise AssertionError  # pragma: no cover - the loop ends at the first path that is not being deleted


async def _save(
    connection: AsyncConnection,
    before: PhotoRecord,
    edit: PhotoEdit,
    path: str | None,
    is_expected: IsExpected,
) -> PhotoRecord:
    photo = await photo_edits.lock(connection, before.order_number, before.id)
    photo, _ = _editable(photo, before.id, is_expected)
    if (photo.path, photo.photo_edit) != (before.path, before.photo_edit):
        raise PreconditionFailedError
    if photo.edited_photo_path is not None:
        await unused_files.note(connection, photo.order_id, photo.edited_photo_path)
    if path is not None:
        await unused_files.delete(connection, photo.order_id, path)
    await photo_edits.save(connection, photo.id, None if edit.is_none else edit.document, path)
    await Outbox.publish(connection, OrderChanged(order_number=photo.order_number))
    saved = await photo_edits.find(connection, photo.order_number, photo.id)
    assert saved is not None  # noqa: S101 - it is locked
    return saved


def _editable(photo: PhotoRecord | None, image_id: int, is_expected: IsExpected) -> tuple[PhotoRecord, str]:
    """The photo and the path of its original, if its edit may be changed."""
    if photo is None:
        raise ImageNotFoundError(image_id)
    if not is_expected(photo):
        raise PreconditionFailedError
    if photo.is_approved:
        raise ImageApprovedError(image_id, "its photo is edited")
    if photo.path is None:
        raise PhotoMissingError(image_id)
    return photo, photo.path
