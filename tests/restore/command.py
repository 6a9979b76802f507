"""Runs commands as an operator does."""

import asyncio
import os
from collections.abc import Mapping

_SECONDS = 120


class StepFailedError(RuntimeError):
    """A command of the procedure exited with a status other than 0."""


async def run(*command: object, env: Mapping[str, str] | None = None, allowed: tuple[int, ...] = (0,)) -> str:
    """Run a command; returns its output. Raises :class:`StepFailedError`, ``TimeoutError``."""
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
