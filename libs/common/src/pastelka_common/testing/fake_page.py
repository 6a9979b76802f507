"""Pages for fake coloring providers: line drawings that look like coloring pages."""

import io
import math
import random
from functools import cache

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from pastelka_common.orientation import upright

_SIZE = (1000, 1000)
_EDGE = 80  # of 255
_DRAWN_AT = 2  # oversampling, so that lines are smooth like those of a real page


@cache
def drawn_page() -> bytes:
    """A deterministic drawing of flowers: a PNG of 1 megapixel, about 100 KB."""
    width, height = (side * _DRAWN_AT for side in _SIZE)
    page = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(page)
    chance = random.Random(7)  # noqa: S311 - a drawing, not a secret
    for _ in range(26):
        center = (chance.uniform(0, width), chance.uniform(0, height))
        _flower(draw, center, radius=chance.uniform(40, 150), petals=chance.randint(5, 11))
    return _png(page.resize(_SIZE, Image.Resampling.LANCZOS))


def edges_of(photo: bytes) -> bytes:
    """A rough line drawing of ``photo`` as PNG, so that different photos get different pages."""
    with Image.open(io.BytesIO(photo)) as image:
        grey = upright(image).convert("L").filter(ImageFilter.GaussianBlur(2))
    # The filter does not process the outermost pixels.
    inner = ImageOps.crop(grey.filter(ImageFilter.FIND_EDGES), 1)
    edges = ImageOps.expand(ImageOps.autocontrast(inner, cutoff=(0, 1)), 1, 0)
    return _png(edges.point(lambda value: 0 if value > _EDGE else 255))


def _flower(draw: ImageDraw.ImageDraw, center: tuple[float, float], *, radius: float, petals: int) -> None:
    x, y = center
    draw.line((x, y, x + radius / 3, y + 4 * radius), fill=0, width=7)
    for petal in range(petals):
        angle = 2 * math.pi * petal / petals
        _circle(draw, x + radius * math.cos(angle), y + radius * math.sin(angle), radius * 0.45)
    _circle(draw, x, y, radius * 0.7)
    _circle(draw, x, y, radius * 0.3)


def _circle(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255, outline=0, width=7)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
