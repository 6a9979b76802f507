"""What a bucket answers, as an error with a sentence that names no address, key or signature."""

import re

from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

from pastelka_common.storage.interface import StorageUnavailableError

_CODE = re.compile(r"<Code>\s*(\w+)\s*</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_MISSING = {"NoSuchKey", "NotFound"}


def error_reason(error: Exception) -> StorageUnavailableError | None:
    """The error to raise for one of the library's; ``None``: there just is no such object.

    The library gives a missing bucket and an unknown key pair the type of a missing object.
    """
    text = str(error)
    code = _CODE.search(text)
    if isinstance(error, FileNotFoundError):
        if code is None or code[1] in _MISSING:
            return None
        return StorageUnavailableError(f"The bucket answered {code[1]}")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return StorageUnavailableError(f"The bucket refused access{_in_brackets(code)}")
    status = _STATUS.search(text)
    if status is not None:
        return StorageUnavailableError(f"The bucket answered with status {status[1]}{_in_brackets(code)}")
    return StorageUnavailableError("The bucket does not answer")


def _in_brackets(code: re.Match[str] | None) -> str:
    return "" if code is None else f" ({code[1]})"
