"""Reads the body of an HTTP response completely, with limits on bytes and seconds.

``aiohttp``'s ``response.content.read(n)`` returns what has arrived, which is a part if the body spans several
packets. So only this module reads bodies into memory.
"""

import asyncio
from collections.abc import AsyncIterable

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError

MAX_HEADER_BYTES = 64 * 1024
"""Of one header field of a response. Browsers accept as much; aiohttp's default is 8,190 bytes."""


class ResponseBodyError(Exception):
    """The body cannot be used; the message states the cause, without quoting it."""


class ResponseTruncatedError(ResponseBodyError):
    """The connection ended before the body did, by its ``Content-Length`` or its chunks."""

    def __init__(self, received: int) -> None:
        super().__init__(f"the body ended early, after {received:,} bytes")


class ResponseTooLargeError(ResponseBodyError):
    """The body exceeds the limit; the rest was not read."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"the body has more than {max_bytes:,} bytes")


class ResponseTimeoutError(ResponseBodyError):
    """The body did not end in time."""

    def __init__(self, received: int, timeout: float) -> None:
        super().__init__(f"the body did not end within {timeout:g} s, after {received:,} bytes")


async def read_body(chunks: AsyncIterable[bytes], *, max_bytes: int, timeout: float) -> bytes:
    """Read a body; ``chunks`` is ``response.content.iter_any()`` of aiohttp or ``aiter_bytes()`` of httpx.

    ``timeout`` (seconds) is for the whole body. Raises ``ResponseBodyError``, and the client's errors for
    other connection failures.
    """
    body, deadline = bytearray(), asyncio.timeout(timeout)
    try:
        async with deadline:
            async for chunk in chunks:
                body += chunk
                if len(body) > max_bytes:
                    break
    except TimeoutError as error:
        if deadline.expired():
            raise ResponseTimeoutError(len(body), timeout) from error
        raise
    except Exception as error:
        if _is_truncation(error):
            raise ResponseTruncatedError(len(body)) from error
        raise
    if len(body) > max_bytes:
        raise ResponseTooLargeError(max_bytes)
    return bytes(body)


def _is_truncation(error: Exception) -> bool:
    """Whether the body is incomplete; httpx-aiohttp wraps aiohttp's exception as cause."""
    payload = error if isinstance(error, aiohttp.ClientPayloadError) else error.__cause__
    return isinstance(payload, aiohttp.ClientPayloadError) and not isinstance(
        payload.__cause__, ContentEncodingError
    )
