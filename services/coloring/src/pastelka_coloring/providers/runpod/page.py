"""Extracts the page from a completed job's output. Blocking; runs in a thread."""

import binascii
import io
from dataclasses import dataclass

from PIL import Image

from pastelka_common.errors import PermanentError

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLimits:
    """Decoding limits; the largest requested page has 8 megapixels."""

    pixels: int = 64_000_000


class NoImageError(PermanentError):
    """The output contains no image; it may contain an error."""

    def __init__(self) -> None:
        super().__init__(
            "provider_output_invalid",
            "RunPod's output has no image; expected output.image or output.output.image.",
        )


def page_from_output(output: object, limits: PageLimits) -> bytes:
    """The page as PNG bytes.

    ``output`` is the job's ``output`` as parsed JSON: ``{"image": ...}`` or ``{"output": {"image": ...}}``,
    the image in base64 with or without a ``data:`` prefix. A PNG is verified and returned unchanged, other
    formats are re-encoded. Raises :class:`PermanentError` ``provider_output_invalid``, or
    :class:`NoImageError` if there is no image.
    """
    encoded = _image_of(output)
    if encoded is None:
        raise NoImageError
    return _as_png(_decode(encoded), limits)


def _invalid(what: str) -> PermanentError:
    return PermanentError("provider_output_invalid", f"RunPod's output {what}.")


def _image_of(output: object) -> str | None:
    match output:
        case {"image": str(encoded)} | {"output": {"image": str(encoded)}} if encoded:
            return encoded
        case _:
            return None


def _decode(encoded: str) -> bytes:
    if encoded.startswith("data:"):
        head, _, encoded = encoded.partition(",")
        if not head.endswith(";base64"):
            raise _invalid("is a data URL that is not base64")
    try:
        # Some encoders break lines; strict mode rejects whitespace.
        return binascii.a2b_base64("".join(encoded.split()), strict_mode=True)
    except ValueError as error:  # binascii.Error, or a character outside ASCII
        raise _invalid("is not valid base64") from error


def _as_png(content: bytes, limits: PageLimits) -> bytes:
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            _check_size(image, limits)
            if image.format == "PNG":
                image.verify()  # verifies every chunk's checksum, without decoding
                return content
            return _encode(image)
    except PermanentError:
        raise
    except Exception as error:  # decoders raise anything from OSError to struct.error on a damaged file
        raise _invalid("is not an image that can be decoded") from error


def _check_size(image: Image.Image, limits: PageLimits) -> None:
    if image.width * image.height > limits.pixels:
        raise _invalid(f"has {image.width} x {image.height} pixels, more than a page may have")


def _encode(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    page = image if image.mode in _PNG_MODES else image.convert("RGB")
    page.save(buffer, "PNG")
    return buffer.getvalue()
