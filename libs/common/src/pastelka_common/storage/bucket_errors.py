"""What a bucket answers, as ``OSError`` with a sentence that names no address, key or signature."""

import errno
import re

from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

_CODE = re.compile(r"<Code>\s*(\w+)\s*</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_MISSING = {"NoSuchKey", "NotFound"}


class BucketError(OSError):
    """The bucket cannot do it now; ``strerror`` says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(errno.EIO, sentence)


def said_of(error: Exception) -> OSError | None:
    """The error to raise for one of the library's; ``None``: there just is no such object.

    The library gives a missing bucket and an unknown key pair the type of a missing object.
    """
    text = str(error)
    code = _CODE.search(text)
    if isinstance(error, FileNotFoundError):
        if code is None or code[1] in _MISSING:
            return None
        return BucketError(f"The bucket answered {code[1]}.")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return PermissionError(errno.EACCES, f"The bucket refused access{_in_brackets(code)}.")
    status = _STATUS.search(text)
    if status is not None:
        return BucketError(f"The bucket answered with status {status[1]}{_in_brackets(code)}.")
    return BucketError("The bucket does not answer.")


def _in_brackets(code: re.Match[str] | None) -> str:
    return "" if code is None else f" ({code[1]})"
