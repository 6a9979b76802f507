"""Classifies HTTP responses and network errors as transient or permanent, and decodes bodies.

Some hosts compress although ``identity`` was requested. aiohttp cannot tell a wrong encoding from a broken
transfer, so a body is decoded after the transfer is complete.
"""

import gzip
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path

import aiohttp
import brotli
from aiohttp.http_exceptions import LineTooLong
from anyio import to_thread

from pastelka_common.errors import JobError, PermanentError, TransientError
from pastelka_orders.photos.errors import Refusal, too_large
from pastelka_orders.photos.formats import claims_to_be_readable
from pastelka_orders.photos.photo_limits import PhotoLimits
from pastelka_orders.photos.urls import RefusedAddressError

_CHUNK = 256 * 1024
_HEAD = 512
_TRANSIENT = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_NOT_FOUND_STATUSES = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_ACCESS_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_FIRST_SERVER_ERROR = 500
_MAX_RETRY_AFTER = 3600.0
_FIRST_NOT_ASCII = 0x80


def require_photo(response: aiohttp.ClientResponse) -> None:
    """Raise ``TransientError`` or ``PermanentError`` unless ``response`` is a 200 with a body to read."""
    status, host = response.status, response.url.host
    if status in _TRANSIENT or status >= _FIRST_SERVER_ERROR:
        wait = retry_after(response.headers.get("Retry-After"))
        message = f"{host} responded with {status} instead of the photo; a later attempt may succeed."
        raise TransientError("photo_server_busy", message, retry_after=wait)
    if status in _NOT_FOUND_STATUSES:
        raise PermanentError("photo_gone", f"{host} no longer has a photo at this URL ({status}).")
    if status in _ACCESS_REFUSED:
        message = f"{host} denies access to the photo ({status}); use a public link."
        raise PermanentError("photo_access_refused", message)
    if status != HTTPStatus.OK:
        raise PermanentError(
            "photo_answer_unexpected", f"{host} responded with {status} instead of the photo."
        )


def location(response: aiohttp.ClientResponse) -> str:
    """The header ``Location`` as an ASCII URL.

    Bytes that are not UTF-8 are percent-encoded one by one, as browsers do it (WHATWG URL, *percent-encode*).
    """
    raw = next(value for name, value in response.raw_headers if name.lower() == b"location")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "".join(chr(byte) if byte < _FIRST_NOT_ASCII else f"%{byte:02X}" for byte in raw)


def retry_after(value: str | None) -> float | None:
    """Seconds of a ``Retry-After`` header (RFC 9110, 10.2.3: seconds or a date), at most an hour."""
    if value is None:
        return None
    try:
        is_number = value.strip().isdecimal()
        seconds = float(value) if is_number else _seconds_until(parsedate_to_datetime(value))
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER) if not math.isnan(seconds) else None


def _seconds_until(moment: datetime) -> float:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime.now(UTC)).total_seconds()


@contextmanager
def wire_errors(host: str | None) -> Iterator[None]:
    """Translate network errors into ``TransientError`` or ``PermanentError``."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError) as error:
        raise _job_error(error, host) from error
    except UnicodeError as error:  # a host name that cannot be encoded
        raise PermanentError("photo_url_refused", "The photo's URL has no valid host name.") from error


def _job_error(error: Exception, host: str | None) -> JobError:
    return _permanent(error, host) or _transient(error, host)


def _permanent(error: Exception, host: str | None) -> PermanentError | None:
    match error:
        case aiohttp.InvalidURL():
            return PermanentError("photo_url_refused", "The photo's URL is invalid.")
        case aiohttp.ClientConnectorCertificateError():
            return PermanentError("photo_certificate_invalid", f"The certificate of {host} is not valid.")
        case aiohttp.ClientConnectorError(os_error=RefusedAddressError()):
            message = f"{host} is not a public address; photos are fetched from the public internet only."
            return PermanentError("photo_address_refused", message)
    if any(isinstance(cause, LineTooLong) for cause in _causes(error)):
        message = f"{host} responds with headers larger than 64 KB; use another link to the photo."
        return PermanentError("photo_answer_unexpected", message)
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """``error`` and its causes: aiohttp wraps errors of its parser."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _transient(error: Exception, host: str | None) -> TransientError:
    match error:
        case TimeoutError():
            return TransientError("photo_download_timeout", f"{host} did not deliver the photo in time.")
        case aiohttp.ClientConnectorDNSError():
            return TransientError("photo_host_unknown", f"The name {host} could not be resolved.")
        case aiohttp.ClientPayloadError():
            return interrupted(host)
    return TransientError("photo_download_failed", f"The connection to {host} failed.")


def interrupted(host: str | None) -> TransientError:
    """The error for a body that ended before the photo did."""
    return TransientError(
        "photo_download_interrupted", f"The connection to {host} ended in the middle of the photo."
    )


async def decode_file(path: Path, encoding: str, *, limits: PhotoLimits) -> None:
    """Decode the file at ``path`` in place; ``encoding`` is the value of ``Content-Encoding``.

    A file that is already a photo stays: some hosts declare an encoding that they do not apply. Raises
    :class:`Refusal`: ``photo_encoding_invalid``, or ``photo_too_large`` beyond ``limits.max_bytes``.
    """
    if encoding.strip().lower() not in {"", "identity"}:
        await to_thread.run_sync(_decode, path, encoding.strip().lower(), limits)


def _decode(path: Path, encoding: str, limits: PhotoLimits) -> None:
    with path.open("rb") as file:
        if claims_to_be_readable(file.read(_HEAD)):
            return
    target, size = path.with_suffix(".decoded"), 0
    try:
        with target.open("wb") as decoded:
            for piece in _pieces(path, encoding):
                size += len(piece)
                if size > limits.max_bytes:
                    raise too_large(limits)
                decoded.write(piece)
    except (gzip.BadGzipFile, EOFError, zlib.error, brotli.error) as error:
        reason = (
            f"the photo has the content encoding '{encoding}' but cannot be decoded with it; "
            "use a link to the plain file."
        )
        raise Refusal("photo_encoding_invalid", reason) from error
    target.replace(path)


def _pieces(path: Path, encoding: str) -> Iterator[bytes]:
    """The decoded content in chunks of bounded size, whatever the compression ratio."""
    with path.open("rb") as file:
        match encoding:
            case "gzip" | "x-gzip":
                with gzip.open(file) as content:
                    yield from iter(lambda: content.read(_CHUNK), b"")
            case "deflate":
                yield from _decompress_zlib(file.read())
            case "br":
                yield from _decompress_brotli(file.read())
            case _:
                raise EOFError(f"no decoder for {encoding}")


def _decompress_zlib(content: bytes) -> Iterator[bytes]:
    decoder = zlib.decompressobj()
    while content and not decoder.eof:
        yield decoder.decompress(content, _CHUNK)
        content = decoder.unconsumed_tail
    if not decoder.eof:
        raise EOFError("the stream has no end")


def _decompress_brotli(content: bytes) -> Iterator[bytes]:
    decoder = brotli.Decompressor()
    yield decoder.process(content, output_buffer_limit=_CHUNK)
    while not decoder.is_finished():
        piece = decoder.process(b"", output_buffer_limit=_CHUNK)
        if not piece and decoder.can_accept_more_data():
            raise EOFError("the stream has no end")
        yield piece
