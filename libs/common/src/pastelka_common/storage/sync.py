"""Syncs directory entries, where the file system supports it."""

import errno
import os
from functools import cache
from pathlib import Path

import structlog

# Network and FUSE file systems, and write-only folders, cannot sync a directory; files are unaffected.
_UNSUPPORTED = {
    *(errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS),
    *(errno.EACCES, errno.EPERM, errno.EBADF, errno.EISDIR),
}

log = structlog.get_logger(__name__)


def sync_folder(folder: Path) -> None:
    """Make renames and deletions in ``folder`` survive a power cut.

    A file system without support is logged once and otherwise ignored. Raises ``OSError`` if the sync fails.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        _warn_unsupported(error.errno)


@cache
def _warn_unsupported(code: int) -> None:
    """Log once per process and reason."""
    log.warning("folder sync not supported", reason=os.strerror(code))
