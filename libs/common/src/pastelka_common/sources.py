"""Local copies of a job's source file."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from pastelka_common.errors import PermanentError, TransientError
from pastelka_common.storage import Storage, UnsafePathError

Source = Callable[[], AbstractAsyncContextManager[Path]]
"""Opens a local copy of a job's source on demand, like :func:`source_local_copy`."""


@asynccontextmanager
async def source_local_copy(storage: Storage, path: str) -> AsyncIterator[Path]:
    """Local copy of ``path`` by ``Storage.local_copy``; the provider reports a missing file.

    Raises ``PermanentError`` (``unsafe_path``), ``TransientError`` (``storage_unavailable``).
    """
    async with AsyncExitStack() as stack:
        try:
            file = await stack.enter_async_context(storage.local_copy(path))
        except UnsafePathError as error:
            raise PermanentError("unsafe_path", str(error)) from error
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise TransientError(
                "storage_unavailable", f"The file cannot be read from the storage: {reason}."
            ) from error
        yield file
