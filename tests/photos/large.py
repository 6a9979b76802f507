"""Large photos for measurements of memory and time."""

from collections.abc import Callable

from PIL import Image

from tests.photos import files


def _file(
    image_format: str, size: tuple[int, int], mode: str = "RGB", **settings: object
) -> Callable[[], bytes]:
    return lambda: files.encoded(
        Image.linear_gradient("L").resize(size).convert(mode), image_format, **settings
    )


LARGE: tuple[tuple[str, Callable[[], bytes]], ...] = (
    ("JPEG of 108 megapixels", _file("JPEG", (12_000, 9_000), quality=90)),
    ("JPEG of 108 megapixels, progressive", _file("JPEG", (12_000, 9_000), progressive=True)),
    ("JPEG of 200 megapixels", _file("JPEG", (16_320, 12_240), quality=80)),
    ("JPEG of 250 megapixels, progressive", _file("JPEG", (20_000, 12_500), progressive=True, quality=75)),
    ("PNG of 100 megapixels", _file("PNG", (10_000, 10_000), compress_level=1)),
    ("TIFF of 48 megapixels", _file("TIFF", (8_000, 6_000), compression="tiff_lzw")),
    ("WebP of 48 megapixels", _file("WEBP", (8_000, 6_000), method=0)),
    ("HEIC of 24 megapixels", _file("HEIF", (6_000, 4_000), quality=50)),
)
