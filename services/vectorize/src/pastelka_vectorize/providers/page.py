"""Opens a stored coloring page and checks its size before decoding."""

import warnings
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from pastelka_common.errors import PermanentError

MAX_PAGE_PIXELS = 80_000_000
"""Maximum pixels of a page; the coloring service generates at most 8 megapixels."""


class PageUnusableError(Exception):
    """A page cannot be vectorized; a retry cannot succeed.

    Unlike a ``JobError`` it is picklable, for worker processes: its arguments are its fields. Providers
    convert it to a ``PermanentError`` with the same ``code`` and ``message``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def as_permanent(self) -> PermanentError:
        """Convert to the error that providers raise."""
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
    """The error for a page that is not a complete image."""
    return PageUnusableError(
        "page_unreadable", "The coloring page is not a readable image. Generate the coloring again."
    )


def _open_quietly(path: Path) -> Image.Image:
    with warnings.catch_warnings():
        # Ignore Pillow's warning for large images; our own limit is checked instead.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(path)


def _too_large() -> PageUnusableError:
    megapixels = MAX_PAGE_PIXELS // 1_000_000
    return PageUnusableError(
        "page_too_large", f"The coloring page has more than {megapixels} megapixels. Generate a smaller one."
    )
