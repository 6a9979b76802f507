"""The pipeline from a photo to a page."""

from pathlib import Path

import cv2

from pastelka_coloring.providers.local.detector import EdgeDetector
from pastelka_coloring.providers.local.drawing import strokes_of
from pastelka_coloring.providers.local.page import draw, encode, page_size
from pastelka_coloring.providers.local.photo import read_photo
from pastelka_coloring.providers.local.resizing import MAP_PIXELS, shape_for
from pastelka_coloring.providers.local.style import PageStyle
from pastelka_common.errors import PermanentError, TransientError

# A longer strip is useless on paper, and its mirrored margins would need gigabytes.
_MAX_ASPECT = 20


def make_page(photo: Path, *, megapixels: float, style: PageStyle, detector: EdgeDetector) -> bytes:
    """Return the coloring page of a stored photo as PNG.

    Raises ``PermanentError`` for a photo that cannot be colored, ``TransientError`` if storage or memory are
    exhausted.
    """
    stored = read_photo(photo)
    _check_aspect(stored.size)
    size = page_size(stored.size, megapixels)
    shape = shape_for(stored.pixels, MAP_PIXELS)
    try:
        strokes = strokes_of(stored.pixels, shape, style, detector)
        if strokes:
            return encode(draw(strokes, shape[::-1], size))
    except (MemoryError, cv2.error) as error:
        # OpenCV raises this if an allocation fails; sizes and types are checked before.
        raise TransientError("out_of_memory", "There was not enough memory to draw the page.") from error
    raise PermanentError(
        "photo_without_shapes",
        "Nothing to color was found in the photo: it has one color or is fully blurred."
        " Use a photo with a clear subject.",
    )


def _check_aspect(size: tuple[int, int]) -> None:
    if max(size) > _MAX_ASPECT * min(size):
        raise PermanentError(
            "photo_unsuitable",
            f"A photo of {size[0]} x {size[1]} pixels is too narrow for a page;"
            f" use one at most {_MAX_ASPECT} times as long as wide.",
        )
