"""Opening a coloring page from storage, within bounds, before any provider touches its pixels."""

import warnings
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from pastelka_common.errors import PermanentError

MAX_PAGE_PIXELS = 80_000_000
"""The largest page that is decoded; the coloring service makes pages of at most 8 megapixels."""


class PageUnusableError(Exception):
    """A page cannot be vectorized, however often it is tried.

    Unlike a ``JobError`` it survives the way back from a worker process: its arguments are its
    fields. Providers turn it into a ``PermanentError`` of the same ``code`` and ``message``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def as_permanent(self) -> PermanentError:
        """Say it as providers must."""
        return PermanentError(self.code, self.message)


def open_page(path: Path) -> Image.Image:
    """Open the image at ``path`` and check its size; the pixels are not decoded yet.

    Raises ``PageUnusableError``: ``page_missing``, ``page_unreadable`` or ``page_too_large``.
    """
    try:
        page = _open_quietly(path)
    except FileNotFoundError as exc:
        raise PageUnusableError(
            "page_missing", "The coloring page is no longer in storage. Generate the coloring again."
        ) from exc
    except Image.DecompressionBombError as exc:
        raise _too_large() from exc
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as exc:
        raise unreadable() from exc
    if page.width * page.height > MAX_PAGE_PIXELS:
        page.close()
        raise _too_large()
    return page


def unreadable() -> PageUnusableError:
    """The error for a page whose bytes are not a whole image."""
    return PageUnusableError(
        "page_unreadable", "The coloring page is not a readable image. Generate the coloring again."
    )


def _open_quietly(path: Path) -> Image.Image:
    with warnings.catch_warnings():
        # Pillow's warning for large images; the size is checked against our own bound instead.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(path)


def _too_large() -> PageUnusableError:
    megapixels = MAX_PAGE_PIXELS // 1_000_000
    return PageUnusableError(
        "page_too_large", f"The coloring page has more than {megapixels} megapixels. Generate a smaller one."
    )
