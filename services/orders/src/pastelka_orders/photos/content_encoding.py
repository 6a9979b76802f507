"""Content encodings (RFC 9110, 8.4) of hosts that compress although ``identity`` was asked for.

aiohttp could decode them, but reports a body that is not encoded as its header says only as a broken
transfer. Here the two are told apart: the transfer is complete before anything is decoded.
"""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import brotli
from anyio import to_thread

from pastelka_orders.photos.errors import Refusal
from pastelka_orders.photos.formats import claims_to_be_readable
from pastelka_orders.photos.normalise import too_large
from pastelka_orders.photos.photo_limits import PhotoLimits

_CHUNK = 256 * 1024
_HEAD = 512


async def decode_file(path: Path, encoding: str, *, limits: PhotoLimits) -> None:
    """Replace the file at ``path`` by what it is without its content ``encoding`` (a header's value).

    A file that is a photo already stays: some hosts announce an encoding that they do not apply. Raises
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
            f"the photo arrived with the content encoding '{encoding}' and cannot be decoded as such; "
            "ask for a link to the plain file."
        )
        raise Refusal("photo_encoding_invalid", reason) from error
    target.replace(path)


def _pieces(path: Path, encoding: str) -> Iterator[bytes]:
    """The decoded content in pieces of a bounded size, whatever the compression ratio."""
    with path.open("rb") as file:
        match encoding:
            case "gzip" | "x-gzip":
                with gzip.open(file) as content:
                    yield from iter(lambda: content.read(_CHUNK), b"")
            case "deflate":
                yield from _inflated(file.read())
            case "br":
                yield from _unbrotlied(file.read())
            case _:
                raise EOFError(f"no decoder for {encoding}")


def _inflated(content: bytes) -> Iterator[bytes]:
    decoder = zlib.decompressobj()
    while content and not decoder.eof:
        yield decoder.decompress(content, _CHUNK)
        content = decoder.unconsumed_tail
    if not decoder.eof:
        raise EOFError("the stream has no end")


def _unbrotlied(content: bytes) -> Iterator[bytes]:
    decoder = brotli.Decompressor()
    yield decoder.process(content, output_buffer_limit=_CHUNK)
    while not decoder.is_finished():
        piece = decoder.process(b"", output_buffer_limit=_CHUNK)
        if not piece and decoder.can_accept_more_data():
            raise EOFError("the stream has no end")
        yield piece
