"""Photos like those of customers: large enough that a provider takes them unscaled, and with detail."""

import io
from functools import cache

from PIL import Image, ImageDraw, ImageFilter

_SIZE = (1600, 1200)
_QUALITY = 88
_GRAIN = 40.0


@cache
def photos(count: int) -> tuple[bytes, ...]:
    """``count`` different JPEGs of 1,600 x 1,200 pixels, about a quarter of a megabyte each."""
    grain = Image.effect_noise(_SIZE, _GRAIN).filter(ImageFilter.GaussianBlur(1))
    return tuple(_photo(grain, number) for number in range(count))


def _photo(grain: Image.Image, number: int) -> bytes:
    width, height = _SIZE
    scene = Image.new("RGB", _SIZE, (200, 220, 240))
    draw = ImageDraw.Draw(scene)
    draw.ellipse((200, 150, 1050, 1000), fill=(number * 37 % 256, number * 91 % 256, 120))
    draw.rectangle((750, 500, width - 100, height - 100), fill=(40, number * 53 % 256, 90))
    grainy = Image.blend(scene, Image.merge("RGB", (grain, grain, grain)), 0.3)
    buffer = io.BytesIO()
    grainy.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
