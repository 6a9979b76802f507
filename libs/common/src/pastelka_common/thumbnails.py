"""Thumbnails of stored files, created with the file; a thumbnail failure never fails the store."""

from io import BytesIO

import anyio
import structlog
from anyio import to_thread
from PIL import Image

from pastelka_common.storage import Storage, thumbnail_path

SIDE = 400
"""Longest side in pixels: a card of 200 px at double pixel density."""
_QUALITY = 75

log = structlog.get_logger(__name__)


def thumbnail(image: Image.Image) -> bytes:
    """``image`` as WebP of at most :data:`SIDE` pixels per side, without metadata, on white.

    Does not change ``image``. Blocking; raises Pillow's errors.
    """
    small = image.copy() if max(image.size) <= SIDE else _reduced(image)
    if small.mode in {"P", "PA", "LA", "RGBa"}:
        small = small.convert("RGBA")
    if small.mode == "RGBA":
        flat = Image.new("RGB", small.size, "white")
        flat.paste(small, mask=small.getchannel("A"))
        small = flat
    small = small.convert("RGB")
    small.info = {}
    file = BytesIO()
    small.save(file, "WEBP", quality=_QUALITY, method=0)  # a third of method 4's time, slightly larger
    return file.getvalue()


def thumbnail_of(content: bytes) -> bytes:
    """Thumbnail of an image file's content."""
    with Image.open(BytesIO(content)) as image:
        image.draft(None, (SIDE, SIDE))
        return thumbnail(image)


async def store_thumbnail(storage: Storage, path: str, content: bytes | None) -> None:
    """Store ``content`` as thumbnail of the file ``path``; a failure is only logged."""
    if content is None:
        return
    try:
        await storage.write(thumbnail_path(path), content)
    except (OSError, ValueError) as error:
        log.warning("thumbnail write failed", path=path, error=str(error))


class Thumbnails:
    """Creates thumbnails of stored files, one at a time, in a thread."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._threads = anyio.CapacityLimiter(1)

    async def make(self, path: str, picture: bytes) -> None:
        """Create the thumbnail of ``path`` from an image file's content; a failure is only logged."""
        try:
            content = await to_thread.run_sync(thumbnail_of, picture, limiter=self._threads)
        except Exception as error:  # noqa: BLE001 - Pillow raises arbitrary exceptions on a damaged file
            log.warning("thumbnail creation failed", path=path, error=str(error) or type(error).__name__)
            return
        await store_thumbnail(self._storage, path, content)


def _reduced(image: Image.Image) -> Image.Image:
    """A smaller copy; averages blocks of pixels first, which is much faster on a large page."""
    if image.mode not in {"L", "RGB", "RGBA"}:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    factor = SIDE / max(image.size)
    size = (max(round(image.width * factor), 1), max(round(image.height * factor), 1))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)
