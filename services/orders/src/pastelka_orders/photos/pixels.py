"""From whatever a file holds to upright 8-bit grey or RGB pixels in sRGB, nothing transparent."""

from PIL import Image

from pastelka_common.orientation import upright
from pastelka_orders.photos.colors import meaning_of, to_srgb
from pastelka_orders.photos.errors import Refusal

_SCALABLE_MODES = ("L", "LA", "RGB", "RGBA", "CMYK")
_GREY_MODES = ("L", "LA", "1", "I;16", "I;16B")
# Rounded to the nearest of 256 levels: Pillow's own conversion cuts everything above 255 to white.
_SIXTEEN_TO_EIGHT_BITS = [(level * 255 + 32767) // 65535 for level in range(65536)]
_INVERTED = _SIXTEEN_TO_EIGHT_BITS[::-1]
_TIFF_PHOTOMETRIC = 262
_WHITE_IS_ZERO = 0


def working_pixels(image: Image.Image, content: bytes, *, max_pixels: int) -> Image.Image:
    """A decoded ``image`` as grey (``L``) or ``RGB``; ``image`` itself if only its size had to change.

    ``content`` is the file that it was decoded from. Raises :class:`Refusal` for pixels without a known
    scale (32-bit integers, floats).
    """
    source, meaning = image, meaning_of(image, content)
    if image.mode in _SCALABLE_MODES:
        shrink(image, max_pixels)  # first, for the sake of memory; in place, so that the large one is gone
    image = upright(image)
    image = _eight_bit(image, source)
    colors, alpha = _separated(image, source)
    colors = _as_grey_or_rgb(to_srgb(colors, meaning))
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
            "The photo has 32 bits per channel, which has no agreed brightness; save it with 8 or 16 bits.",
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
    """Colors, and how opaque they are: ``None`` for entirely."""
    if not image.has_transparency_data:
        return (image.convert("RGB") if image.mode == "P" else image), None
    layer = image if image.mode == "LA" else image.convert("RGBA")
    colors, alpha = layer.convert(layer.mode.removesuffix("A")), layer.getchannel("A")
    # Writers of BMP leave the fourth byte at zero and mean opaque.
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
    """``size`` in the same proportion with ``max_pixels`` at most."""
    width, height = size
    scale = min(1.0, (max_pixels / (width * height)) ** 0.5)
    return max(1, int(width * scale)), max(1, int(height * scale))


def shrink(image: Image.Image, max_pixels: int) -> None:
    """Scale ``image`` in place to ``max_pixels``; nothing happens if it has no more than that."""
    if image.width * image.height > max_pixels:
        image.thumbnail(reduced_size(image.size, max_pixels), Image.Resampling.LANCZOS)
