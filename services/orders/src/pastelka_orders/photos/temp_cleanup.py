"""Photos in temporary folders whose process was killed: nobody else would ever delete them."""

import shutil
import tempfile
import time
from pathlib import Path

import structlog
from anyio import to_thread

_PREFIXES = ("pastelka-photos-", "pastelka-download-", "pastelka-decoding-", "pastelka-file-")
_OLD_SECONDS = 6 * 3600.0
"""No upload and no download takes that long."""

log = structlog.get_logger(__name__)


async def remove_temp_folders() -> int:
    """Delete folders that have not been touched for six hours; returns how many there were."""
    return await to_thread.run_sync(_remove)


def _remove() -> int:
    before = time.time() - _OLD_SECONDS
    found = [folder for folder in Path(tempfile.gettempdir()).iterdir() if _is_left(folder, before)]
    for folder in found:
        shutil.rmtree(folder, ignore_errors=True)
    if found:
        log.info("temporary folders deleted", folders=len(found))
    return len(found)


def _is_left(folder: Path, before: float) -> bool:
    try:
        is_ours = folder.name.startswith(_PREFIXES) and folder.is_dir() and not folder.is_symlink()
        return is_ours and folder.stat().st_mtime < before
    except OSError:  # somebody else's, or gone meanwhile
        return False
