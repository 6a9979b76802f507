"""A photo that holds its reader up, and who reads it."""

import contextlib
import os
from pathlib import Path

from pastelka_common.testing.processes import children_running
from pastelka_common.testing.waiting import until

# Starting a process takes a while on a busy machine.
DEADLINE = 600


class GatedPhoto:
    """A photo that its reader waits for: a named pipe that nothing is written to until ``send``.

    The process that reads it is in the middle of its page, for as long as the test wants.
    """

    def __init__(self, path):
        os.mkfifo(path)
        self.path = path
        self._writer = None

    async def opened(self):
        """Wait until a process reads the photo."""
        await until(self._is_opened, DEADLINE)

    def _is_opened(self):
        # Nothing can be written to a pipe that nothing reads.
        with contextlib.suppress(OSError):
            self._writer = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
        return self._writer is not None

    def close(self):
        """End the photo without any content."""
        os.close(self._writer)


def processes():
    """The ids of the worker processes of this process."""
    return children_running("anyio.to_process")


async def reader(photo):
    """The id of the worker process that reads the photo."""
    (process,) = await until(lambda: [one for one in processes() if _reads(one, photo)], DEADLINE)
    return process


def _reads(process, photo):
    try:
        files = list(Path(f"/proc/{process}/fd").iterdir())
    except OSError:  # it has ended
        return False
    return any(os.path.realpath(file) == str(photo.path) for file in files)
