"""Storage in a bucket of an S3-compatible store (``STORAGE_URL``), through obstore."""

import errno
import os
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import anyio
import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from pastelka_common.storage.interface import (
    IncompleteDeleteError,
    StorageNotMountedError,
    StorageUnavailableError,
    StorageUsage,
)
from pastelka_common.storage.paths import UnsafePathError, validate_path

if TYPE_CHECKING:
    from obstore import Attributes, ObjectMeta
    from obstore.store import S3Config

    from pastelka_common.storage.settings import StorageSettings

T = TypeVar("T")

_WRITTEN_AT = "pastelka-written"
"""Object metadata: time of writing by our clock. The store's own has whole seconds only."""

_PROBE_KEY = ".nothing"
_CODE = re.compile(r"<Code>\s*(\w+)\s*</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_MISSING = {"NoSuchKey", "NotFound"}

_RETRIES = 4
_RETRY_SECONDS = timedelta(seconds=15)
_CONNECT_SECONDS = timedelta(seconds=5)
_REQUEST_SECONDS = timedelta(seconds=60)
_ROUNDS = 2
"""A worker may write into a folder while it is deleted."""

# nginx passes on these types; others are only for download.
_TYPES = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".heif": "image/heic",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
}


class InvalidBucketError(Exception):
    """The library rejects the store's settings; the message contains no values."""


def parse_bucket_url(settings: "StorageSettings") -> S3Store:
    """Create the library's store, without a request. Raises :class:`InvalidBucketError`."""
    if settings.bucket is None:
        raise ValueError("STORAGE_URL names no bucket")
    _unset_empty_variables()
    secret, token = settings.aws_secret_access_key, settings.aws_session_token
    config: S3Config = {"region": settings.aws_region}
    if secret is not None and secret.get_secret_value():
        config["access_key_id"] = settings.aws_access_key_id
        config["secret_access_key"] = secret.get_secret_value()
        if token is not None and token.get_secret_value():
            config["session_token"] = token.get_secret_value()
    if settings.aws_endpoint_url:
        config["endpoint"] = settings.aws_endpoint_url
    try:
        return S3Store(
            settings.bucket,
            prefix=settings.prefix or None,
            config=config,
            client_options={
                "allow_http": urlsplit(settings.aws_endpoint_url).scheme == "http",
                "connect_timeout": _CONNECT_SECONDS,
                "timeout": _REQUEST_SECONDS,
            },
            retry_config={"max_retries": _RETRIES, "retry_timeout": _RETRY_SECONDS},
        )
    except (BaseError, ValueError) as error:
        raise InvalidBucketError(
            f"STORAGE_URL: no bucket can be opened with these AWS_* variables ({type(error).__name__});"
            " one is malformed, or its counterpart is missing"
        ) from error


def _unset_empty_variables() -> None:
    """Unset empty ``AWS_*``: the library reads them itself, and would use empty values."""
    for name in [name for name, value in os.environ.items() if name.startswith("AWS_") and not value]:
        del os.environ[name]


class BucketStorage:
    """Files as objects of a bucket below a prefix.

    An acknowledged PUT is durable and atomic; large files are multipart uploads, which are atomic, too.
    """

    def __init__(self, store: S3Store) -> None:
        self._store = store

    async def read(self, path: str) -> bytes:
        found = await _translated(obstore.get_async(self._store, _key(path)))
        return bytes(await _translated(found.bytes_async()))

    async def read_head(self, path: str, most: int) -> bytes:
        # A range is an error where it is longer than the file, or the file is empty.
        size = await self.size(path)
        if size is None:
            raise FileNotFoundError(errno.ENOENT, "There is no such file")
        end = min(most, size)
        if not end:
            return b""
        return bytes(await _translated(obstore.get_range_async(self._store, _key(path), start=0, end=end)))

    async def read_since(self, path: str, moment: datetime) -> bytes | None:
        found = await _translated(obstore.get_async(self._store, _key(path)))
        if _written(found.attributes, found.meta) < moment:
            return None
        return bytes(await _translated(found.bytes_async()))

    @asynccontextmanager
    async def local_copy(self, path: str) -> AsyncIterator[Path]:
        """Copy the file into a temporary folder."""
        key = _key(path)
        with tempfile.TemporaryDirectory(prefix="pastelka-file-") as folder:
            copy = Path(folder, PurePosixPath(key).name)
            with suppress(FileNotFoundError):  # then the copy is missing, too
                await self._fetch(key, copy)
            yield copy

    async def exists(self, path: str) -> bool:
        """Whether the file exists; ``False`` for a path outside the root. Raises ``OSError``."""
        return await self.size(path) is not None

    async def size(self, path: str) -> int | None:
        try:
            key = _key(path)
        except UnsafePathError:
            return None
        with suppress(FileNotFoundError):
            return (await _translated(obstore.head_async(self._store, key)))["size"]
        # A response to HEAD has no body, so it cannot tell a missing bucket from a missing file.
        with suppress(FileNotFoundError):
            return (await _translated(obstore.get_async(self._store, key))).meta["size"]
        return None

    async def prefix_exists(self, folder: str) -> bool:
        """Whether any file exists below ``folder``."""
        return bool(await self._some(_key(folder)))

    async def write(self, path: str, content: bytes) -> None:
        """Store ``content`` atomically and durably, replacing an existing file."""
        await self._put(path, content)

    async def put_file(self, path: str, source: Path) -> None:
        await anyio.Path(source).stat()  # a missing source would be reported as a missing bucket
        await self._put(path, source)

    async def remove(self, path: str) -> None:
        await self._delete([_key(path)])

    async def files(self, path: str) -> AsyncIterator[str]:
        for meta in await self._all(_key(path)):
            yield meta["path"]

    async def folders(self) -> list[str]:
        """Names of the top-level folders. Raises ``OSError``."""
        listed = await _translated_list(obstore.list_with_delimiter_async(self._store))
        return list(listed["common_prefixes"])

    async def usage(self, folder: str, others: Sequence[str]) -> StorageUsage:
        key, others = _key(folder), [_key(path) for path in others]
        sizes = [meta["size"] for meta in await self._all(key)]
        sizes += [size for path in others if (size := await self.size(path)) is not None]
        return StorageUsage(len(sizes), sum(sizes))

    async def erase(self, folder: str, others: Sequence[str]) -> None:
        """Delete ``folder`` and the files ``others``. Raises :class:`IncompleteDeleteError`, ``OSError``."""
        key = _key(folder)
        await self._delete([_key(path) for path in others])
        left: list[ObjectMeta] = await self._all(key)
        for _ in range(_ROUNDS):
            if not left:
                return
            await self._delete([meta["path"] for meta in left])
            left = await self._all(key)
        if left:
            first = left[0]["path"]
            raise IncompleteDeleteError(
                f"Not deleted: {len(left)} of its files; the first is {first} (still in the bucket)."
            )

    async def ensure_mounted(self, *, may_be_empty: bool) -> None:
        """Raise ``StorageNotMountedError`` if the bucket is missing or unexpectedly empty."""
        try:
            some = await self._some(None)
        except OSError as error:
            raise StorageNotMountedError(f"The storage cannot be read: {error.strerror}.") from error
        if not some and not may_be_empty:
            raise StorageNotMountedError(
                "The storage is empty although the order has files; check that it is the right one."
            )

    async def ping(self) -> None:
        """Request a non-existent object, which is cheaper than a list. Raises ``OSError``."""
        with suppress(FileNotFoundError):
            await _translated(obstore.get_async(self._store, _PROBE_KEY))

    async def capacity(self) -> tuple[int, int] | None:
        """``None``: a bucket has no size limit."""
        return None

    async def presign(self, path: str, *, lifetime: timedelta) -> str | None:
        """URL with which any client may GET the file for ``lifetime``, whether or not it exists."""
        return await _translated(obstore.sign_async(self._store, "GET", _key(path), lifetime))

    async def _put(self, path: str, content: bytes | Path) -> None:
        attributes: Attributes = {
            "Content-Type": _TYPES.get(PurePosixPath(path).suffix.lower(), "application/octet-stream"),
            _WRITTEN_AT: datetime.now(UTC).isoformat(),
        }
        try:
            await _translated(obstore.put_async(self._store, _key(path), content, attributes=attributes))
        except FileNotFoundError as error:
            raise StorageUnavailableError(
                "The bucket does not exist, or the access key is unknown"
            ) from error

    async def _fetch(self, key: str, target: Path) -> None:
        found = await _translated(obstore.get_async(self._store, key))
        async with await anyio.open_file(target, "wb") as file:
            pieces = found.stream()
            while (piece := await _translated(anext(pieces, None))) is not None:
                await file.write(bytes(piece))

    async def _all(self, key: str) -> "list[ObjectMeta]":
        return list(await _translated_list(obstore.list(self._store, key).collect_async()))

    async def _some(self, key: str | None) -> "Sequence[ObjectMeta]":
        stream = obstore.list(self._store, key, chunk_size=1)
        return await _translated_list(anext(stream, []))

    async def _delete(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        try:
            await _translated(obstore.delete_async(self._store, keys))
        except FileNotFoundError:
            await self._some(None)  # already deleted, or the bucket is missing: then this raises


def _key(path: str) -> str:
    return str(validate_path(path))


def _written(attributes: "Attributes", meta: "ObjectMeta") -> datetime:
    """Time of writing by our clock, or the store's for files written by other programs."""
    written_at = attributes.get(_WRITTEN_AT)
    if written_at is None:
        return meta["last_modified"]
    try:
        return datetime.fromisoformat(written_at)
    except ValueError:
        return meta["last_modified"]


async def _translated(request: Awaitable[T]) -> T:
    """Await a request, translating the library's errors into ``OSError``."""
    try:
        return await request
    except FileNotFoundError as error:
        reason = _error_reason(error)
        raise (FileNotFoundError(errno.ENOENT, "No such file") if reason is None else reason) from error
    except BaseError as error:
        raise _error_reason(error) or StorageUnavailableError("The bucket refused the request") from error


async def _translated_list(request: Awaitable[T]) -> T:
    """Await a list request; not found then means that the bucket is missing."""
    try:
        return await _translated(request)
    except FileNotFoundError as error:
        raise StorageUnavailableError("The bucket does not exist") from error


def _error_reason(error: Exception) -> StorageUnavailableError | None:
    """The error to raise for one of the library's; ``None`` if the object does not exist.

    Its message contains no URL, key or signature. The library reports a missing bucket and an unknown access
    key with the type of a missing object.
    """
    text = str(error)
    code = _CODE.search(text)
    if isinstance(error, FileNotFoundError):
        if code is None or code[1] in _MISSING:
            return None
        return StorageUnavailableError(f"The bucket responded with {code[1]}")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return StorageUnavailableError(f"The bucket denied access{_in_brackets(code)}")
    status = _STATUS.search(text)
    if status is not None:
        return StorageUnavailableError(f"The bucket responded with status {status[1]}{_in_brackets(code)}")
    return StorageUnavailableError("The bucket does not respond")


def _in_brackets(code: re.Match[str] | None) -> str:
    return "" if code is None else f" ({code[1]})"
