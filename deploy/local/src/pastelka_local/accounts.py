"""Users and tokens of the running stack, by the commands of the orders service."""

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from pastelka_common.servers.base import write_private

_FILE = "environment.json"
_REMEMBERED = ("DATABASE_URL", "NATS_URL", "NATS_PREFIX", "STORAGE_PATH", "STORAGE_URL")
_OF_THE_BUCKET = "AWS_"
_SECONDS = 60
_TOKEN_LIFE = "1h"  # noqa: S105 - longer than a sample order takes


class AccountsError(Exception):
    """A user or token could not be made; the message says why."""


def remember(run: Path, environment: Mapping[str, str]) -> None:
    """Keep what the orders service's commands need of ``environment``, readable by the owner only."""
    kept = {
        name: value
        for name, value in environment.items()
        if name in _REMEMBERED or name.startswith(_OF_THE_BUCKET)
    }
    write_private(run / _FILE, json.dumps(kept, indent=2))


def forget(run: Path) -> None:
    """The stack has ended, and its servers with it."""
    (run / _FILE).unlink(missing_ok=True)


def service_environment(run: Path) -> dict[str, str]:
    """Database, broker and storage of the stack that runs here; empty where none does."""
    try:
        kept: dict[str, str] = json.loads((run / _FILE).read_text())
    except FileNotFoundError:
        return {}
    return kept


class Accounts:
    """Asks the orders service's commands about the stack whose ``run`` folder this is."""

    def __init__(self, run: Path, environment: Mapping[str, str]) -> None:
        self._run = run
        self._environment = environment

    async def add(self, name: str, role: str) -> int:
        """Add a user; the password is asked for on this terminal. Exit status of the command."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pastelka_orders", "users", "add", name, "--role", role),
            env=self._env(),
        )
        return await process.wait()

    async def is_empty(self) -> bool:
        """Whether no user can sign in."""
        users = json.loads(await self._answer("users", "list", "--json"))
        return all(user["disabled_at"] for user in users)

    @asynccontextmanager
    async def token(self) -> AsyncIterator[str]:
        """A token of the stack's own, which may do everything and is revoked afterwards."""
        name = f"stack-{secrets.token_hex(4)}"
        token = await self._answer("tokens", "create", name, "--scope", "write", "--expires", _TOKEN_LIFE)
        try:
            yield token.strip()
        finally:
            # Where the database has gone before, it ends by itself.
            with suppress(AccountsError, TimeoutError):
                await self._answer("tokens", "revoke", name)

    async def _answer(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pastelka_orders", *arguments),
            env=self._env(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(_SECONDS):
            out, err = await process.communicate()
        if process.returncode != 0:
            raise AccountsError(err.decode().strip())
        return out.decode()

    def _env(self) -> dict[str, str]:
        kept = service_environment(self._run)
        if not kept:
            raise AccountsError("nothing runs here; `make start` or `make up` comes first")
        return {**self._environment, **kept}
