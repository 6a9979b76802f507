"""Orientation of an image file (CIPA DC-008, tag 274)."""

from PIL import Image
from PIL.ExifTags import Base

# Their decoders already apply it: tag 274 of TIFF, ``irot`` and ``imir`` of HEIF.
_UPRIGHT_FORMATS = ("TIFF", "HEIF")
# Transposition by EXIF orientation.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """The transposition that makes an opened file upright; ``None`` if it already is.

    Uses only EXIF, not XMP, unlike Pillow's ``getexif`` and ``exif_transpose``, which fall back to XMP.
    Pillow converts ``irot`` and ``imir`` of an AVIF to EXIF. Damaged EXIF is ignored.
    """
    return None if image.format in _UPRIGHT_FORMATS else _TURNS.get(_orientation(image))


def upright(image: Image.Image) -> Image.Image:
    """``image`` made upright; returns itself if it already is. Decodes it if necessary."""
    transposition = turn_of(image)
    return image if transposition is None else image.transpose(transposition)


def _orientation(image: Image.Image) -> int:
    exif = Image.Exif()
    try:
        exif.load(image.info.get("exif") or _exif_of_imagemagick(image))
        return int(exif.get(Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - the pixels are valid, whatever the parser raises for a hostile EXIF block
        return 1


def _exif_of_imagemagick(image: Image.Image) -> bytes:
    """EXIF as ImageMagick stores it in a PNG: two header lines, then hexadecimal digits."""
    return bytes.fromhex("".join(image.info.get("Raw profile type exif", "").split("\n")[3:]))
