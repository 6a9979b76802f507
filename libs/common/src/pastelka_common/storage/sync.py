"""Making the entries of a folder durable, where its file system can do that."""

import errno
import os
from functools import cache
from pathlib import Path

import structlog

# Network and FUSE file systems, and folders that may be written and not read: none of them can be
# asked to sync a folder, and no file is the worse for it.
_UNSUPPORTED = {
    *(errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS),
    *(errno.EACCES, errno.EPERM, errno.EBADF, errno.EISDIR),
}

log = structlog.get_logger(__name__)


def sync_folder(folder: Path) -> None:
    """Make renames and deletions in ``folder`` survive a power cut.

    A file system that does not support that is logged once and otherwise ignored.
    Raises ``OSError`` where the sync itself failed.
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
    """Once a process for each reason."""
    log.warning("folder sync not supported", reason=os.strerror(code))
