"""Reads the stored photo for coloring: upright, RGB, reduced to the needed size."""

import errno
import math
import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pastelka_common.errors import JobError, PermanentError, TransientError
from pastelka_common.orientation import upright

_MAX_PIXELS = 1.5e6
_DECODED_PIXELS = 100e6
_MISSING = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR}


@dataclass(frozen=True, slots=True)
class Photo:
    """An upright photo.

    ``size`` is the stored photo's width and height; ``pixels`` (height, width, 3), RGB, may have
    been reduced to about 1.5 megapixels.
    """

    size: tuple[int, int]
    pixels: NDArray[np.uint8]


def read_photo(path: Path) -> Photo:
    """Read a photo in any format and mode that Pillow opens.

    EXIF orientation is applied, transparency becomes white, 16 bits become 8. Raises
    ``PermanentError`` (``photo_missing``, ``photo_too_large``, ``photo_unreadable``) or
    ``TransientError`` (``storage_unavailable``).
    """
    try:
        with Image.open(path) as image:
            return _read(image)
    except JobError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large("more than 178 megapixels") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise _failure(path, error) from error


def _read(image: Image.Image) -> Photo:
    width, height = image.size
    scale = min(1.0, math.sqrt(_MAX_PIXELS / (width * height)))
    # A JPEG is decoded at 1/2, 1/4 or 1/8 of its size if that is enough.
    image.draft(None, (math.ceil(width * scale), math.ceil(height * scale)))
    if image.width * image.height > _DECODED_PIXELS:
        raise _too_large(f"{width} x {height} pixels")
    image.load()
    turned = upright(image)
    if (turned.width > turned.height) != (width > height):
        width, height = height, width
    flat = _rgb(turned)
    if scale < 1:
        flat = flat.resize((max(round(width * scale), 1), max(round(height * scale), 1)), reducing_gap=2.0)
    return Photo((width, height), np.asarray(flat, dtype=np.uint8))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        image = _eight_bits(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    # 16 and 32 bits per pixel: Pillow's own conversion would clip at 255.
    values = np.nan_to_num(np.asarray(image, dtype=np.float32))
    darkest, brightest = float(values.min()), float(values.max())
    spread = max(brightest - darkest, 1e-6)
    return Image.fromarray(((values - darkest) * (255 / spread)).astype(np.uint8))


def _too_large(what: str) -> PermanentError:
    return PermanentError(
        "photo_too_large", f"The photo is too large ({what}); at most 100 megapixels can be colored."
    )


def _failure(path: Path, error: Exception) -> JobError:
    if not isinstance(error, OSError) or error.errno is None:
        return PermanentError("photo_unreadable", f"{path.name} is not a readable image; use a JPEG or PNG.")
    if error.errno in _MISSING:
        return PermanentError("photo_missing", f"{path.name} is not in the storage; upload the photo again.")
    return TransientError(
        "storage_unavailable", f"{path.name} could not be read from the storage: {os.strerror(error.errno)}."
    )
