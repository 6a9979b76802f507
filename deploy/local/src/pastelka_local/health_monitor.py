"""Updates ``<data dir>/run/processes.json``; the stack runs it with the data folder as argument."""

import asyncio
import signal
import sys
from pathlib import Path

from pastelka_local.health import read_stack_state, write_states

_PAUSE_SECONDS = 1.0


async def monitor_health(data: Path) -> None:
    """Write the state once a second, until SIGTERM."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    while not ended.is_set():
        state = await read_stack_state(data / "run")
        write_states(data / "run", state.processes)
        try:
            await asyncio.wait_for(ended.wait(), _PAUSE_SECONDS)
        except TimeoutError:
            continue


if __name__ == "__main__":
    asyncio.run(monitor_health(Path(sys.argv[1])))
