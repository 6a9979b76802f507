"""From whatever a file holds to upright 8-bit grey or RGB pixels in sRGB, nothing transparent."""

from io import BytesIO

from PIL import Image, ImageCms, ImageOps
from PIL.ExifTags import Base

from pastelka_orders.photos.errors import Refusal

_UPRIGHT = 1
_SCALABLE_MODES = ("L", "LA", "RGB", "RGBA", "CMYK")
_GREY_MODES = ("L", "LA", "1")
# Rounded to the nearest of 256 levels: Pillow's own conversion cuts everything above 255 to white.
_SIXTEEN_TO_EIGHT_BITS = [(level * 255 + 32767) // 65535 for level in range(65536)]
_PROFILE_SPACES = {"RGB": "RGB", "CMYK": "CMYK"}


def working_pixels(image: Image.Image, *, max_pixels: int) -> Image.Image:
    """A decoded ``image`` as grey (``L``) or ``RGB``; ``image`` itself if only its size had to change.

    Raises :class:`Refusal` for pixels without a known scale (32-bit integers, floats).
    """
    profile = image.info.get("icc_profile")
    if image.mode in _SCALABLE_MODES:
        shrink(image, max_pixels)  # first, for the sake of memory; in place, so that the large one is gone
    image = _upright(image)
    image = _eight_bit(image)
    image = _on_white(image)
    image = _in_srgb(image, profile)
    image = _as_grey_or_rgb(image)
    shrink(image, max_pixels)
    return image


def _upright(image: Image.Image) -> Image.Image:
    """Pixels turned as EXIF says (CIPA DC-008, tag 274); damaged EXIF counts as none."""
    try:
        orientation = image.getexif().get(Base.Orientation, _UPRIGHT)
        return image if orientation == _UPRIGHT else ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 - the pixels are fine, whatever a hostile EXIF block makes its parser raise
        return image


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode in {"I", "F"}:
        raise Refusal(
            "photo_unsupported_format",
            "The photo has 32 bits per channel, which has no agreed brightness; save it with 8 or 16 bits.",
        )
    if not image.mode.startswith("I;16"):
        return image
    eight_bit = image.convert("I").point(_SIXTEEN_TO_EIGHT_BITS, "L")
    eight_bit.info.pop("transparency", None)  # a 16-bit level, meaningless now
    return eight_bit


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    mode = "LA" if image.mode == "LA" else "RGBA"
    layer = image.convert(mode)
    page = Image.new(mode.removesuffix("A"), image.size, "white")
    page.paste(layer.convert(page.mode), mask=layer.getchannel("A"))
    return page


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colors of a wide-gamut or print profile as sRGB; an unreadable or unfitting profile counts as none."""
    if not profile or image.mode not in _PROFILE_SPACES:
        return image
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        fits = source.profile.xcolor_space.strip() == _PROFILE_SPACES[image.mode]
        if not fits or "srgb" in ImageCms.getProfileDescription(source).lower():
            return image
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, srgb, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


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
