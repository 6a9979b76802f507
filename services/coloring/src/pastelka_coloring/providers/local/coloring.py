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

# A strip longer than this has no place on paper, and its mirrored margins would cost gigabytes.
_LONGEST = 20


def make_page(
    photo: Path, *, megapixels: float, steps: int, detector: EdgeDetector, check: Callable[[], None]
) -> bytes:
    """Return the coloring page of a stored photo as PNG.

    ``check`` is called between the stages and ends the work by raising. Raises ``PermanentError``
    for a photo that cannot be colored, ``TransientError`` where storage or memory give out.
    """
    stored = read_photo(photo)
    _require_room(stored.size)
    size = page_size(stored.size, megapixels)
    detail = detail_of(steps)
    try:
        check()
        found = edge_map(stored.pixels, detail, detector, check)
        check()
        lines = lines_of(found, detail)
        check()
        return encode(draw(lines, found.edges.shape[::-1], size))
    except (MemoryError, cv2.error) as error:
        # OpenCV says so when an allocation fails; sizes and types are checked before.
        raise TransientError("out_of_memory", "There was not enough memory to draw the page.") from error


def _require_room(size: tuple[int, int]) -> None:
    if max(size) > _LONGEST * min(size):
        raise PermanentError(
            "photo_unsuitable",
            f"A photo of {size[0]} x {size[1]} pixels is too narrow for a page;"
            f" at most {_LONGEST} times as long as wide would do.",
        )
