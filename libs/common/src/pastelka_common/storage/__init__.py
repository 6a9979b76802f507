"""Storage of files.

Rows and messages contain paths relative to the storage root (``42/121/coloring/v1/image_1.png``). A storage
maps them to a shared folder or a bucket, and rejects paths that would leave the root.
"""

from pastelka_common.storage.folder import FolderStorage
from pastelka_common.storage.interface import (
    IncompleteDeleteError,
    Storage,
    StorageNotMountedError,
    StorageUnavailableError,
    StorageUsage,
)
from pastelka_common.storage.paths import (
    UnsafePathError,
    edited_photo_path,
    photo_path,
    public_url,
    thumbnail_path,
    version_path,
)
from pastelka_common.storage.settings import StorageSettings, open_storage

__all__ = [
    "FolderStorage",
    "IncompleteDeleteError",
    "Storage",
    "StorageNotMountedError",
    "StorageSettings",
    "StorageUnavailableError",
    "StorageUsage",
    "UnsafePathError",
    "edited_photo_path",
    "open_storage",
    "photo_path",
    "public_url",
    "thumbnail_path",
    "version_path",
]
