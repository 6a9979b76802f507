"""What a job is made from, taken out of the storage for as long as it is worked on."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from pastelka_common.errors import PermanentError, TransientError
from pastelka_common.storage import Storage, UnsafePathError

Source = Callable[[], AbstractAsyncContextManager[Path]]
"""Fetches a job's source where it is called: a block with the file, as :func:`source_local_copy` makes it."""


@asynccontextmanager
async def source_local_copy(storage: Storage, path: str) -> AsyncIterator[Path]:
    """The file ``path`` as ``Storage.at_hand`` gives it; a missing one is for the provider to tell.

    Raises ``PermanentError`` (``unsafe_path``), ``TransientError`` (``storage_unavailable``).
    """
    async with AsyncExitStack() as stack:
        try:
            file = await stack.enter_async_context(storage.local_copy(path))
        except UnsafePathError as error:
            raise PermanentError("unsafe_path", str(error)) from error
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise TransientError("storage_unavailable", f"The storage gave no file: {reason}.") from error
        yield file
