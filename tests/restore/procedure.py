"""The steps of docs/backup.md: standard tools and Pastelka's two commands."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pastelka_common.servers.postgres import binaries
from pastelka_common.testing.forkserver import run_forked
from pastelka_local.testing import RunningStack
from tests.restore.command import StepFailedError, run
from tests.restore.files import Files


@dataclass(frozen=True)
class Backup:
    """The three parts of a backup: ``database.dump`` and ``record.json`` in a folder, and the files."""

    folder: Path
    files: Files

    @property
    def dump(self) -> Path:
        """Dump the database."""
        return self.folder / "database.dump"

    @property
    def record(self) -> Path:
        """Record what a restore must not bring back."""
        return self.folder / "record.json"


async def back_up(stack: RunningStack, backup: Backup) -> None:
    """Back up while everything runs: the database first, then the files, then the record."""
    backup.folder.mkdir(parents=True, exist_ok=True)
    await run(binaries() / "pg_dump", "--format=custom", "--file", backup.dump, stack.postgres.url)
    await backup.files.back_up()
    await record(stack, backup)


async def record(stack: RunningStack, backup: Backup) -> None:
    """Write the record again, at any time between backups."""
    await _orders(stack, "backup-record", "--out", backup.record)


async def restore(stack: RunningStack, backup: Backup, *, files: bool = True) -> dict[str, Any]:
    """Restore into an empty database and any broker, while no service runs; returns the reconciliation's
    output.

    With ``files`` the storage is restored as well; otherwise it was not lost and stays unchanged.
    """
    url = stack.postgres.url
    await run(binaries() / "pg_restore", "--exit-on-error", "--no-owner", "--dbname", url, backup.dump)
    if files:
        await backup.files.restore()
    await _python("pastelka_orders.entrypoints.migrate", env=stack.env())
    found: dict[str, Any] = json.loads(
        await _orders(stack, "after-restore", "--json", "--record", backup.record)
    )
    return found


async def _orders(stack: RunningStack, *arguments: object) -> str:
    return await _python("pastelka_orders", *arguments, env=stack.env())


async def _python(module: str, *arguments: object, env: Mapping[str, str]) -> str:
    """Run one of Pastelka's commands as a fork; returns its output. Raises :class:`StepFailedError`."""
    done = await run_forked(module, *map(str, arguments), env={**os.environ, **env})
    if done.code != 0:
        raise StepFailedError(f"{module} {arguments[:1]} ended with {done.code}:\n{done.err[-2000:]}")
    return done.out
