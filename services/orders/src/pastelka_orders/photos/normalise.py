"""Normalises one file to a stored photo, after fully decoding it; runs in a :mod:`.decoder` process."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO

import structlog
from PIL import AvifImagePlugin, Image, TiffImagePlugin, UnidentifiedImageError
from pillow_heif import register_heif_opener

from pastelka_common.orientation import upright
from pastelka_common.thumbnails import thumbnail
from pastelka_orders.photos.colors import color_space_of, to_srgb
from pastelka_orders.photos.encoding import encode, png_without_metadata, suffix_for
from pastelka_orders.photos.errors import Refusal, cut_off, damaged, too_complex, too_large
from pastelka_orders.photos.formats import (
    READABLE,
    NormalisedPhoto,
    camera_raw,
    unreadable,
    webp_canvas,
    with_known_brand,
)
from pastelka_orders.photos.jpeg import JPEG_END, JPEG_START, Jpeg
from pastelka_orders.photos.photo_limits import PhotoLimits

_SCALABLE_MODES = ("L", "LA", "RGB", "RGBA", "CMYK")
_GREY_MODES = ("L", "LA", "1", "I;16", "I;16B")
# Rounded to the nearest of 256 levels: Pillow's conversion clips values above 255 to white.
_SIXTEEN_TO_EIGHT_BITS = [(level * 255 + 32767) // 65535 for level in range(65536)]
_INVERTED = _SIXTEEN_TO_EIGHT_BITS[::-1]
_TIFF_PHOTOMETRIC = 262
_WHITE_IS_ZERO = 0
log = structlog.get_logger(__name__)
_JPEG_FORMATS = ("JPEG", "MPO")
_TIFF_NEW_SUBFILE_TYPE = 254
_TIFF_REDUCED_RESOLUTION = 1
_MAX_PREVIEWS = 8
_DNG_VERSION = 50706
_TOO_COMPLEX = re.compile(r"memory|security limit", re.IGNORECASE)
_ENDS_EARLY = re.compile(r"truncated|not processed|end of file|unexpected end", re.IGNORECASE)
RoomFor = Callable[[int], AbstractContextManager[object]]
"""Context manager that waits until a photo of that many pixels may be decoded."""


def prepare_decoders(*, threads: int) -> None:
    """Register HEIC with Pillow, and disable its pixel limit (process-wide, idempotent).

    Pillow's limit cannot be set per caller; :class:`PhotoLimits` replaces it. ``threads`` is per photo, for
    formats that would otherwise use a thread and a frame buffer per core.
    """
    Image.MAX_IMAGE_PIXELS = None
    AvifImagePlugin.DEFAULT_MAX_THREADS = threads
    TiffImagePlugin.OPEN_INFO[b"MM", 0, (1,), 1, (16,), ()] = ("I;16B", "I;16B")  # inverted in `_eight_bit`
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=threads)


def normalise(content: bytes, *, limits: PhotoLimits, room_for: RoomFor) -> NormalisedPhoto:
    """Normalise the ``content`` of a file. Raises :class:`Refusal`."""
    _check_bytes(len(content), limits)
    canvas = webp_canvas(content)
    if canvas is None:
        return _normalised(content, limits, room_for)
    # WebP allocates its whole canvas when it is opened.
    _check_size(canvas, limits)
    with room_for(canvas[0] * canvas[1]):
        return _normalised(content, limits, lambda _pixels: nullcontext())


def _normalised(content: bytes, limits: PhotoLimits, room_for: RoomFor) -> NormalisedPhoto:
    with _opened(content) as image:
        _skip_previews(image)
        image.info.pop("xmp", None)  # Pillow would rotate a TIFF by it
        _check_size(image.size, limits)
        full_size = image.size
        with room_for(image.width * image.height):
            jpeg = Jpeg(content) if image.format in _JPEG_FORMATS else None
            if jpeg is not None:
                jpeg.check()
            _decode(image, limits)
            pixels = working_pixels(image, content, max_pixels=limits.max_output_pixels)
            is_as_sent = pixels is image and pixels.size == full_size
            stored = _unchanged(content, image, jpeg) if is_as_sent else None
            return _as_stored(pixels, stored, image)


def _unchanged(content: bytes, image: Image.Image, jpeg: Jpeg | None) -> bytes | None:
    """The original compressed pixels without metadata, if the file allows it."""
    if jpeg is not None:
        return jpeg.without_metadata()
    return png_without_metadata(content) if image.format == "PNG" else None


def _check_bytes(size: int, limits: PhotoLimits) -> None:
    if not size:
        raise Refusal("photo_empty", "The file is empty (0 bytes); send the photo again.")
    if size > limits.max_bytes:
        raise too_large(limits)


def _opened(content: bytes) -> Image.Image:
    try:
        return Image.open(BytesIO(_as_decoders_expect(content)), formats=READABLE)
    except MemoryError:
        raise
    except UnidentifiedImageError as error:
        raise unreadable(content) from error
    except Exception as error:
        raise _undecodable(error) from error


def _as_decoders_expect(content: bytes) -> bytes:
    if content.startswith(JPEG_START):
        return content + JPEG_END  # may be missing; :class:`Jpeg` checks for missing pixels
    return with_known_brand(content)


def _decode(image: Image.Image, limits: PhotoLimits) -> None:
    try:
        if image.format in _JPEG_FORMATS:  # its decoder can scale while decoding
            image.draft(image.mode, reduced_size(image.size, limits.max_output_pixels))
        image.load()
        vars(image).pop("_decoder", None)  # of WebP and AVIF: holds two more copies of the pixels
    except MemoryError:
        raise
    except Exception as error:
        raise _undecodable(error) from error


def _undecodable(error: Exception) -> Refusal:
    # Decoders raise arbitrary exceptions on a damaged file; the text tells a truncated from a corrupt one.
    message = str(error)
    if _TOO_COMPLEX.search(message):
        return too_complex()
    if _ENDS_EARLY.search(message):
        return cut_off()
    return damaged()


def _skip_previews(image: Image.Image) -> None:
    """Skip previews at the start of a TIFF. Raises :class:`Refusal` for a camera's raw file."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return
    for page in range(1, _MAX_PREVIEWS + 2):
        if _DNG_VERSION in image.tag_v2:
            raise camera_raw()
        kind = image.tag_v2.get(_TIFF_NEW_SUBFILE_TYPE, 0)
        if not isinstance(kind, int) or not kind & _TIFF_REDUCED_RESOLUTION:
            return
        try:
            image.seek(page)
        except Exception as error:  # no more pages, or one that no decoder supports
            raise camera_raw() from error
    raise camera_raw()


def _check_size(size: tuple[int, int], limits: PhotoLimits) -> None:
    width, height = size
    dimensions = f"The photo is {width} x {height} pixels"
    if min(size) < limits.min_side:
        raise Refusal("photo_too_small", f"{dimensions}; each side must have at least {limits.min_side}.")
    if max(size) > limits.max_side:
        raise Refusal("photo_side_too_long", f"{dimensions}; each side may have at most {limits.max_side}.")
    if width * height > limits.max_pixels:
        megapixels = limits.max_pixels / 1_000_000
        raise Refusal(
            "photo_too_many_pixels", f"{dimensions}; at most {megapixels:g} megapixels are accepted."
        )


def _as_stored(pixels: Image.Image, stored: bytes | None, source: Image.Image) -> NormalisedPhoto:
    suffix = suffix_for(source.format)
    width, height = pixels.size
    if stored is None:
        stored = encode(pixels, suffix=suffix, source=source)
    return NormalisedPhoto(stored, suffix, width, height, _thumbnail(pixels))


def _thumbnail(pixels: Image.Image) -> bytes | None:
    try:
        return thumbnail(pixels)
    except Exception as error:  # noqa: BLE001 - a photo is stored without a thumbnail, too
        log.warning("thumbnail creation failed", error=str(error) or type(error).__name__)
        return None


def working_pixels(image: Image.Image, content: bytes, *, max_pixels: int) -> Image.Image:
    """Convert a decoded ``image`` to grey (``L``) or ``RGB``; returns itself if at most its size changed.

    ``content`` is its file. Raises :class:`Refusal` for pixels of undefined scale (32-bit integers, floats).
    """
    source, color_space = image, color_space_of(image, content)
    if image.mode in _SCALABLE_MODES:
        shrink(image, max_pixels)  # first and in place, to free memory
    image = upright(image)
    image = _eight_bit(image, source)
    colors, alpha = _separated(image, source)
    colors = _as_grey_or_rgb(to_srgb(colors, color_space))
    if alpha is not None:
        page = Image.new(colors.mode, colors.size, "white")
        page.paste(colors, mask=alpha)
        colors = page
    shrink(colors, max_pixels)
    return colors


def _eight_bit(image: Image.Image, source: Image.Image) -> Image.Image:
    if image.mode in {"I", "F"}:
        raise Refusal(
            "photo_unsupported_format",
            "The photo has 32 bits per channel, whose brightness is undefined; save it with 8 or 16 bits.",
        )
    if not image.mode.startswith("I;16"):
        return image
    levels = image.convert("I")
    tags = getattr(source, "tag_v2", {})
    is_inverted = tags.get(_TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO
    eight_bit = levels.point(_INVERTED if is_inverted else _SIXTEEN_TO_EIGHT_BITS, "L")
    if (transparent := eight_bit.info.pop("transparency", None)) is not None:
        eight_bit.putalpha(levels.point([255 * (level != transparent) for level in range(65536)], "L"))
    return eight_bit


def _separated(image: Image.Image, source: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Colors and alpha; alpha ``None`` if opaque."""
    if not image.has_transparency_data:
        return (image.convert("RGB") if image.mode == "P" else image), None
    layer = image if image.mode == "LA" else image.convert("RGBA")
    colors, alpha = layer.convert(layer.mode.removesuffix("A")), layer.getchannel("A")
    # BMP encoders write 0 for the fourth byte but mean opaque.
    is_meant = source.format != "BMP" or alpha.getextrema() != (0, 0)
    return colors, alpha if is_meant else None


def _as_grey_or_rgb(image: Image.Image) -> Image.Image:
    if image.mode in {"L", "RGB"}:
        return image
    try:
        return image.convert("L" if image.mode in _GREY_MODES else "RGB")
    except ValueError as error:
        raise Refusal(
            "photo_unsupported_format",
            f"The photo's color mode ({image.mode}) cannot be read; save it as RGB.",
        ) from error


def reduced_size(size: tuple[int, int], max_pixels: int) -> tuple[int, int]:
    """``size`` scaled proportionally to at most ``max_pixels``."""
    width, height = size
    scale = min(1.0, (max_pixels / (width * height)) ** 0.5)
    return max(1, int(width * scale)), max(1, int(height * scale))


def shrink(image: Image.Image, max_pixels: int) -> None:
    """Scale ``image`` in place to at most ``max_pixels``."""
    if image.width * image.height > max_pixels:
        image.thumbnail(reduced_size(image.size, max_pixels), Image.Resampling.LANCZOS)
