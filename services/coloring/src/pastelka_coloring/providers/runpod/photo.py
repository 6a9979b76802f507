"""Prepares a photo for the endpoint. Blocking; runs in a thread.

An acceptable JPEG or PNG is sent unchanged, because decoding and encoding would take more CPU time than the
rest of the job.
"""

import io
import math
from dataclasses import dataclass
from pathlib import Path

from pi_heif import register_heif_opener
from PIL import Image

from pastelka_common.errors import JobError, PermanentError, TransientError
from pastelka_common.orientation import upright

# A JPEG with several pictures (MPO, from some phones) is opened as JPEG; the first one is used.
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "HEIF", "AVIF")
_PASSTHROUGH_MODES = {"JPEG": ("RGB", "L"), "MPO": ("RGB", "L"), "PNG": ("RGB", "L")}
_SIXTEEN_BIT = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_ORIENTATION = 0x0112
_PNG_BIT_DEPTH = 24  # offset in the file: 8 signature, 8 chunk head, 4 width, 4 height (PNG, 11.2.1)
_JPEG_QUALITY = 92
_ENVELOPE_BYTES = 512  # the JSON around the image


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    """Limits of a request.

    RunPod rejects requests to ``/run`` above 10 MB, including base64. 4,096 px is more than the largest page
    (8 megapixels) needs, and allows most phones' photos unchanged.
    """

    request_bytes: int = 9_500_000
    longest_side: int = 4096
    smallest_longest_side: int = 1200
    """Smaller photos are enlarged to it, since the endpoint's model draws them with coarse lines."""
    pixels: int = 89_000_000
    """Larger photos are rejected before decoding (below Pillow's own warning)."""

    @property
    def image_bytes(self) -> int:
        """Largest image whose base64 form fits into a request."""
        return (self.request_bytes - _ENVELOPE_BYTES) // 4 * 3


def register_formats() -> None:
    """Register HEIC with Pillow, process-wide; idempotent."""
    register_heif_opener()


def read_photo(path: Path, limits: UploadLimits) -> bytes:
    """The photo at ``path`` as JPEG or PNG: upright, 8-bit RGB or grey, within ``limits``.

    Raises :class:`PermanentError` ``photo_missing``, ``photo_unreadable``, ``photo_too_large`` and
    :class:`TransientError` ``photo_unavailable``.
    """
    return prepare_photo(_read(path), limits)


def prepare_photo(photo: bytes, limits: UploadLimits) -> bytes:
    """Like :func:`read_photo`, from bytes."""
    try:
        with Image.open(io.BytesIO(photo), formats=_FORMATS) as image:
            _check_size(image, limits)
            if _is_acceptable(image, photo, limits):
                return photo
            return _encode_within(_fit(_upright(image, limits), limits), limits)
    except JobError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large(limits) from error
    except Exception as error:  # decoders raise anything from OSError to struct.error on a damaged file
        raise PermanentError(
            "photo_unreadable", "The photo cannot be decoded; use a complete JPEG, PNG, WebP or HEIC file."
        ) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise PermanentError("photo_missing", "The photo is no longer in the storage.") from error
    except OSError as error:
        raise TransientError(
            "photo_unavailable", f"The photo cannot be read from the storage: {error.strerror}."
        ) from error


def _too_large(limits: UploadLimits) -> PermanentError:
    return PermanentError(
        "photo_too_large",
        f"The photo has more than {limits.pixels // 1_000_000} megapixels; use a smaller one.",
    )


def _check_size(image: Image.Image, limits: UploadLimits) -> None:
    if image.width * image.height > limits.pixels:
        raise _too_large(limits)


def _is_acceptable(image: Image.Image, photo: bytes, limits: UploadLimits) -> bool:
    return (
        len(photo) <= limits.image_bytes
        and limits.smallest_longest_side <= max(image.size) <= limits.longest_side
        and image.mode in _PASSTHROUGH_MODES.get(image.format or "", ())
        and not image.has_transparency_data
        and not (image.format == "PNG" and photo[_PNG_BIT_DEPTH] > 8)  # noqa: PLR2004 - bits
        # Includes XMP, which we ignore but a decoder of the endpoint may apply.
        and image.getexif().get(_ORIENTATION, 1) == 1
    )


def _upright(image: Image.Image, limits: UploadLimits) -> Image.Image:
    if image.mode in ("RGB", "L"):
        # A JPEG decoder can scale by 1/2, 1/4, 1/8 at no cost, never below the requested size.
        image.draft(image.mode, (limits.longest_side, limits.longest_side))
    return _eight_bit_rgb(upright(image))


def _eight_bit_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN_BIT:
        # convert("L") would clip at 255 instead of scaling.
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(opaque, image.convert("RGBA")).convert("RGB")
    return image if image.mode in ("RGB", "L") else image.convert("RGB")


def _fit(image: Image.Image, limits: UploadLimits) -> Image.Image:
    longest = max(image.size)
    wanted = min(max(longest, limits.smallest_longest_side), limits.longest_side)
    return image if wanted == longest else _scale(image, wanted / longest)


def _scale(image: Image.Image, factor: float) -> Image.Image:
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _encode_within(image: Image.Image, limits: UploadLimits) -> bytes:
    """JPEG of ``image``, reduced until it fits into a request."""
    encoded = _jpeg(image)
    while len(encoded) > limits.image_bytes:
        image = _scale(image, 0.95 * math.sqrt(limits.image_bytes / len(encoded)))
        encoded = _jpeg(image)
    return encoded


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()
