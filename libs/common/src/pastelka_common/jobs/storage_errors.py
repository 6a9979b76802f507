"""What a worker does where the storage gives no answer that decides about money: it waits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pastelka_common.errors import PostponedError

_SECONDS = 10.0


@asynccontextmanager
async def postpone_on_storage_error() -> AsyncIterator[None]:
    """A block that asks the storage what is there already.

    Raises :class:`PostponedError` (``storage_unavailable``) for its ``OSError``: a guess might pay
    twice, and the job, which can do nothing about it, loses no attempt.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise PostponedError(
            "storage_unavailable", f"The storage does not say what is there: {reason}.", seconds=_SECONDS
        ) from error
