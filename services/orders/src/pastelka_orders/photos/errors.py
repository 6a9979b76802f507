"""Rejections of photos, with the client's file name."""

import unicodedata
from collections.abc import Sequence
from pathlib import PureWindowsPath

from pastelka_orders.photos.photo_limits import PhotoLimits

_MAX_NAME_LENGTH = 120
_UNNAMED = "photo"


class Refusal(Exception):  # noqa: N818 - not a program error but a verdict on one file
    """Verdict inside this package, before the file's name is known: see :class:`PhotoRefusedError`."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


def damaged() -> Refusal:
    """The refusal for a file that breaks its decoder."""
    return Refusal("photo_damaged", "The photo is damaged and cannot be decoded; export or copy it again.")


def cut_off() -> Refusal:
    """The refusal for a file that ends too early."""
    return Refusal(
        "photo_truncated",
        "The file ends in the middle of the photo, as after a broken transfer; send the complete file.",
    )


def incomplete() -> Refusal:
    """The refusal for a file that is complete but lacks pixels."""
    return Refusal(
        "photo_truncated",
        "Part of the photo is missing, as after a broken transfer; send the complete file.",
    )


def too_complex() -> Refusal:
    """The refusal for a file whose decoding exceeds the memory or time limit."""
    return Refusal(
        "photo_too_complex",
        "Decoding the photo exceeds the memory or time limit; export it as a plain JPEG.",
    )


def too_large(limits: PhotoLimits) -> Refusal:
    """The refusal for a file of more than ``max_bytes``."""
    megabytes = limits.max_bytes / 1_000_000
    return Refusal(
        "photo_too_large", f"The file is larger than {megabytes:g} MB; send a smaller copy of the photo."
    )


class PhotoRefusedError(Exception):
    """One file is not a usable photo.

    ``name`` is the file's name without path parts, safe for display; ``code`` a stable identifier
    (``photo_truncated``); ``reason`` a sentence with cause and remedy. ``position`` is the file's position in
    the upload, from 1, or ``None`` for a single file.
    """

    status = 422

    def __init__(self, name: str, code: str, reason: str, *, position: int | None = None) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.code = code
        self.reason = reason
        self.position = position


class PhotosRefusedError(Exception):
    """None of the files of an upload is a photo; ``refusals`` has the reason for each.

    ``refusals`` is empty if their number is wrong (``photos_missing``, ``photos_too_many``).
    """

    status = 422

    def __init__(self, reason: str, *, code: str, refusals: Sequence[PhotoRefusedError] = ()) -> None:
        super().__init__("; ".join([reason, *(str(refusal) for refusal in refusals)]))
        self.code = code
        self.reason = reason
        self.refusals = tuple(refusals)


def display_name(name: str | None) -> str:
    """``name`` safe for display: last path part, no control or bidi characters, bounded length."""
    # PureWindowsPath splits at both kinds of slashes.
    last = PureWindowsPath(name or "").name
    shown = "".join(
        char for char in unicodedata.normalize("NFC", last) if unicodedata.category(char)[0] != "C"
    )
    return shown.strip(" .")[:_MAX_NAME_LENGTH] or _UNNAMED
