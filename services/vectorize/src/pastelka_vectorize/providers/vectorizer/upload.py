"""Prepares a page for upload to Vectorizer.ai."""

import io
from pathlib import Path

from PIL import Image

from pastelka_vectorize.providers.page import PageUnusableError, open_page, unreadable

MAX_PIXELS = 33_554_432
"""Largest image that the API accepts (error 1013). It reduces images to 3 megapixels itself."""

MAX_BYTES = 31_457_280
"""Largest upload the API accepts (error 1012)."""

_SHRINK = 0.7
"""Scale of the next attempt if a PNG has too many bytes."""


def prepare_upload(page: Path) -> bytes:
    """Read the PNG at ``page``, scaled down only if it exceeds the API's limits.

    Blocking, and slow if it has to scale: run it in a thread. Raises ``PageUnusableError``.
    """
    with open_page(page) as image:
        pixels = image.width * image.height
        if pixels <= MAX_PIXELS and image.format == "PNG" and page.stat().st_size <= MAX_BYTES:
            return _read(page)
        try:
            return _shrunk(image, min(1.0, (MAX_PIXELS / pixels) ** 0.5))
        except (OSError, ValueError, SyntaxError) as exc:
            raise unreadable() from exc


def _read(page: Path) -> bytes:
    try:
        return page.read_bytes()
    except OSError as exc:
        raise unreadable() from exc


def _shrunk(image: Image.Image, scale: float) -> bytes:
    while scale * min(image.size) >= 1:
        png = _png(image, scale)
        if len(png) <= MAX_BYTES:
            return png
        scale *= _SHRINK
    raise PageUnusableError(
        "page_too_large", f"The coloring page does not fit {MAX_BYTES:,} bytes. Generate a smaller one."
    )


def _png(image: Image.Image, scale: float) -> bytes:
    size = (int(image.width * scale), int(image.height * scale))
    out = io.BytesIO()
    image.convert("RGBA" if image.has_transparency_data else "L").resize(size, Image.Resampling.LANCZOS).save(
        out, format="PNG"
    )
    return out.getvalue()
