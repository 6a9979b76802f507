"""Commands, as an operator types them."""

import asyncio
import os
from collections.abc import Mapping

_SECONDS = 120


class StepFailedError(RuntimeError):
    """A command of the procedure ended with something else than 0."""


async def run(*command: object, env: Mapping[str, str] | None = None, allowed: tuple[int, ...] = (0,)) -> str:
    """What it printed. Raises :class:`StepFailedError`, ``TimeoutError``."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        env={**os.environ, **(env or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), _SECONDS)
    if process.returncode not in allowed:
        raise StepFailedError(f"{command[:3]} ended with {process.returncode}:\n{err.decode()[-2000:]}")
    return out.decode()
