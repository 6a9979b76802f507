"""Paths of files relative to the storage root, and their public URLs."""

import hashlib
from pathlib import PurePosixPath

from pastelka_common.contracts.statuses import StatusType

_SUFFIXES: dict[StatusType, str] = {"coloring": "png", "svg": "svg"}


class UnsafePathError(ValueError):
    """The path is absolute, would leave the storage root, or is the root itself."""

    def __init__(self, path: str) -> None:
        super().__init__(f"path {path!r} leaves the storage root; use a relative path below it")


def validate_path(path: str) -> PurePosixPath:
    """``path`` without ``.`` and doubled slashes. Raises :class:`UnsafePathError`."""
    relative = PurePosixPath(path)
    if not relative.parts or relative.is_absolute() or ".." in relative.parts or "\0" in path:
        raise UnsafePathError(path)
    return relative


def photo_path(*, order_id: int, line_item_id: int, position: int, suffix: str, version: int = 1) -> str:
    """Path of a source photo; ``suffix`` without the dot.

    A replacement has another path, since stored files never change: from ``version`` 2 on it is in a separate
    folder.
    """
    folder = f"{order_id}/{line_item_id}" if version == 1 else f"{order_id}/{line_item_id}/photo/v{version}"
    return f"{folder}/image_{position}.{suffix}"


def edited_photo_path(*, order_id: int, line_item_id: int, original: str, edit: str, suffix: str) -> str:
    """Path of an edited photo: ``edit`` differs for each edit, so the file of one never changes."""
    digest = hashlib.blake2b(f"{original} {edit}".encode(), digest_size=8).hexdigest()
    return f"{order_id}/{line_item_id}/edited/{PurePosixPath(original).stem}-{digest}.{suffix}"


def version_path(kind: StatusType, *, order_id: int, line_item_id: int, position: int, version: int) -> str:
    """Path of a version's file: ``<order>/<line item>/<kind>/v<version>/image_<position>.<suffix>``."""
    return f"{order_id}/{line_item_id}/{kind}/v{version}/image_{position}.{_SUFFIXES[kind]}"


def thumbnail_path(path: str) -> str:
    """Path of the thumbnail of the file ``path``: ``thumb_<its name>.webp`` next to it.

    The same rule applies to URLs. If a thumbnail is missing (an old file, a failed creation), nginx serves
    the file itself.
    """
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}thumb_{name}.webp"


def public_url(static_url: str, path: str | None) -> str | None:
    """Public URL of ``path``; the storage root is served at ``<static_url>/images/``."""
    return None if path is None else f"{static_url}/images/{path}"
