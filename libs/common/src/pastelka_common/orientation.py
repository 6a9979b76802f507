"""Which way up the pixels of an image file are (CIPA DC-008, tag 274)."""

from PIL import Image
from PIL.ExifTags import Base

# Their decoders have turned the pixels already: by tag 274 of TIFF, by ``irot`` and ``imir`` of HEIF.
_UPRIGHT_FORMATS = ("TIFF", "HEIF")
# What makes pixels upright, by EXIF orientation.
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
    """What makes the pixels of an opened file upright; ``None`` where they are.

    Only EXIF turns, whatever XMP says: Pillow's ``getexif`` and ``exif_transpose`` take the orientation of
    XMP where EXIF has none. Of an AVIF Pillow puts ``irot`` and ``imir`` into EXIF. Damaged EXIF counts
    as none.
    """
    return None if image.format in _UPRIGHT_FORMATS else _TURNS.get(_orientation(image))


def upright(image: Image.Image) -> Image.Image:
    """``image`` with upright pixels: itself where nothing turns it. Decodes it if need be."""
    turn = turn_of(image)
    return image if turn is None else image.transpose(turn)


def _orientation(image: Image.Image) -> int:
    exif = Image.Exif()
    try:
        exif.load(image.info.get("exif") or _exif_of_imagemagick(image))
        return int(exif.get(Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - the pixels are fine, whatever a hostile EXIF block makes its parser raise
        return 1


def _exif_of_imagemagick(image: Image.Image) -> bytes:
    """EXIF as text in a PNG: two lines of a head, then hexadecimal digits."""
    return bytes.fromhex("".join(image.info.get("Raw profile type exif", "").split("\n")[3:]))
