"""Why a photo was refused, with the name its sender knows it by."""

import unicodedata
from collections.abc import Sequence
from pathlib import PureWindowsPath

_LONGEST_NAME = 120
_UNNAMED = "photo"


class Refusal(Exception):  # noqa: N818 - not an error of the program: the verdict on one file
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
    """The refusal for a file that has its end and lacks pixels."""
    return Refusal(
        "photo_truncated",
        "Part of the photo is missing, as after a broken transfer; send the complete file.",
    )


def too_complex() -> Refusal:
    """The refusal for a file that takes more memory or time to decode than a photo of its size may."""
    return Refusal(
        "photo_too_complex",
        "Decoding the photo takes more memory or time than is allowed; export it as a plain JPEG.",
    )


class PhotoRefusedError(Exception):
    """One file is not a photo that can be worked with.

    ``name`` is the file's name without path parts, fit for display; ``code`` a stable word for programs
    (``photo_truncated``); ``reason`` one sentence on what is wrong and what would be right. ``position``
    is the file's place among those sent together, from 1, or ``None`` for a file on its own.
    """

    status = 422

    def __init__(self, name: str, code: str, reason: str, *, position: int | None = None) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.code = code
        self.reason = reason
        self.position = position


class PhotosRefusedError(Exception):
    """None of the files sent together is a photo; ``refusals`` says what is wrong with each.

    ``refusals`` is empty when it is their number that is wrong (``photos_missing``, ``photos_too_many``).
    """

    status = 422

    def __init__(self, reason: str, *, code: str, refusals: Sequence[PhotoRefusedError] = ()) -> None:
        super().__init__("; ".join([reason, *(str(refusal) for refusal in refusals)]))
        self.code = code
        self.reason = reason
        self.refusals = tuple(refusals)


def display_name(name: str | None) -> str:
    """``name`` as it may be shown: last path part, no control or direction characters, not too long."""
    # PureWindowsPath splits at both slashes, whichever system the sender is on.
    last = PureWindowsPath(name or "").name
    shown = "".join(
        char for char in unicodedata.normalize("NFC", last) if unicodedata.category(char)[0] != "C"
    )
    return shown.strip(" .")[:_LONGEST_NAME] or _UNNAMED
