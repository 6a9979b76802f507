"""The steps of docs/backup.md, as an operator types them: standard tools, and our two commands."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pastelka_common.servers.postgres import binaries
from pastelka_local.testing import Stack


class StepFailedError(RuntimeError):
    """A command of the procedure ended with something else than 0."""


@dataclass(frozen=True)
class Backup:
    """A folder with the three parts of a backup: ``database.dump``, ``files/``, ``record.json``."""

    folder: Path

    @property
    def dump(self) -> Path:
        """The database."""
        return self.folder / "database.dump"

    @property
    def files(self) -> Path:
        """The storage."""
        return self.folder / "files"

    @property
    def record(self) -> Path:
        """What a restore must not bring back."""
        return self.folder / "record.json"


async def back_up(stack: Stack, backup: Backup) -> None:
    """While everything runs: the database first, then the files, then the record."""
    backup.folder.mkdir(parents=True, exist_ok=True)
    await _run(binaries() / "pg_dump", "--format=custom", "--file", backup.dump, stack.postgres.url)
    await copy_files(stack.storage, backup.files)
    await record(stack, backup)


async def record(stack: Stack, backup: Backup) -> None:
    """Again between backups, as often as one likes."""
    await _orders(stack, "backup-record", "--out", backup.record)


async def copy_files(source: Path, target: Path) -> None:
    """``cp -a`` in place of ``rsync -a``, which not every machine has: times are kept.

    A file that is renamed or deleted while it is copied is no failure, as with rsync (code 24).
    """
    await _run("cp", "-a", f"{source}/.", target, allowed=(0, 1), make=target)


async def restore(stack: Stack, backup: Backup, *, files: bool = True) -> dict[str, Any]:
    """Into an empty database and whatever broker; no service runs. What was done.

    With ``files`` the storage is put back as well; otherwise it was not lost, and stays as it is.
    """
    url = stack.postgres.url
    await _run(binaries() / "pg_restore", "--exit-on-error", "--no-owner", "--dbname", url, backup.dump)
    if files:
        await asyncio.to_thread(shutil.rmtree, stack.storage, ignore_errors=True)
        await copy_files(backup.files, stack.storage)
    await _run(sys.executable, "-m", "pastelka_orders.entrypoints.migrate", env=stack.env())
    found: dict[str, Any] = json.loads(
        await _orders(stack, "after-restore", "--json", "--record", backup.record)
    )
    return found


async def _orders(stack: Stack, *arguments: object) -> str:
    return await _run(sys.executable, "-m", "pastelka_orders", *arguments, env=stack.env())


async def _run(
    *command: object,
    env: Mapping[str, str] | None = None,
    allowed: tuple[int, ...] = (0,),
    make: Path | None = None,
) -> str:
    if make is not None:
        await asyncio.to_thread(make.mkdir, parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        env={**os.environ, **(env or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    if process.returncode not in allowed:
        raise StepFailedError(f"{command[:3]} ended with {process.returncode}:\n{err.decode()[-2000:]}")
    return out.decode()
