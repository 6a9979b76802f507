"""One photo made into one page, stage by stage."""

from collections.abc import Callable
from pathlib import Path

import cv2

from pastelka_coloring.providers.local.detail import detail_of
from pastelka_coloring.providers.local.detector import EdgeDetector
from pastelka_coloring.providers.local.edges import edge_map
from pastelka_coloring.providers.local.lines import lines_of
from pastelka_coloring.providers.local.page import draw, encode, page_size
from pastelka_coloring.providers.local.photo import read_photo
from pastelka_common.errors import PermanentError, TransientError


def make_page(
    photo: Path, *, megapixels: float, steps: int, detector: EdgeDetector, check: Callable[[], None]
) -> bytes:
    """Return the coloring page of a stored photo as PNG.

    ``check`` is called between the stages and ends the work by raising. Raises ``PermanentError``
    for a photo that cannot be colored, ``TransientError`` where storage or memory give out.
    """
    stored = read_photo(photo)
    size = page_size(stored.size, megapixels)
    detail = detail_of(steps)
    try:
        check()
        found = edge_map(stored.pixels, detail, detector, check)
        check()
        lines = lines_of(found, detail)
        check()
        return encode(draw(lines, found.edges.shape[::-1], size))
    except MemoryError as error:
        raise TransientError("out_of_memory", "There was not enough memory to draw the page.") from error
    except cv2.error as error:
        raise PermanentError(
            "photo_unsuitable", f"No page can be drawn of a photo of {size[0]} x {size[1]}."
        ) from error
