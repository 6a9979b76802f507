"""Users and tokens of the running stack, created with the commands of the orders service."""

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
    """A user or token could not be created; the message gives the reason."""


def store_environment(run: Path, environment: Mapping[str, str]) -> None:
    """Store the variables of ``environment`` that the orders commands need, readable by the owner only."""
    kept = {
        name: value
        for name, value in environment.items()
        if name in _REMEMBERED or name.startswith(_OF_THE_BUCKET)
    }
    write_private(run / _FILE, json.dumps(kept, indent=2))


def delete_environment(run: Path) -> None:
    """Delete the stored variables after the stack has stopped."""
    (run / _FILE).unlink(missing_ok=True)


def service_environment(run: Path) -> dict[str, str]:
    """Variables for database, broker and storage of the running stack; empty if no stack runs."""
    try:
        kept: dict[str, str] = json.loads((run / _FILE).read_text())
    except FileNotFoundError:
        return {}
    return kept


class Accounts:
    """Runs commands of the orders service against the stack whose ``run`` folder is given."""

    def __init__(self, run: Path, environment: Mapping[str, str]) -> None:
        self._run = run
        self._environment = environment

    async def add(self, name: str, role: str) -> int:
        """Add a user; the command prompts for the password on this terminal. Returns its exit status."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pastelka_orders", "users", "add", name, "--role", role),
            env=self._env(),
        )
        return await process.wait()

    async def is_empty(self) -> bool:
        """Whether there is no user yet."""
        users = json.loads(await self._answer("users", "list", "--json"))
        return all(user["disabled_at"] for user in users)

    @asynccontextmanager
    async def token(self) -> AsyncIterator[str]:
        """A token with all permissions, revoked when the block ends."""
        name = f"stack-{secrets.token_hex(4)}"
        token = await self._answer("tokens", "create", name, "--scope", "write", "--expires", _TOKEN_LIFE)
        try:
            yield token.strip()
        finally:
            # If the database has already stopped, the token expires within the hour.
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
            raise AccountsError("no stack is running; run `make start` or `make up` first")
        return {**self._environment, **kept}
