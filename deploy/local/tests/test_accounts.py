"""Users and tokens of a running stack, created with the orders service's own commands."""

import os
import stat
from pathlib import Path

import asyncpg
import pytest

from pastelka_common.servers import PostgresServer
from pastelka_local.accounts import Accounts, AccountsError, delete_environment, store_environment
from pastelka_orders import migrations_runner

_TOKENS = "SELECT scope::text, revoked_at IS NOT NULL, expires_at < now() + interval '61 min' FROM api_tokens"


async def test_the_command_token_is_revoked_after_use(
    tmp_path: Path, database_url: str, postgres_server: PostgresServer
):
    assert database_url.startswith("postgresql://")
    url = database_url.replace("postgresql://", "postgresql+asyncpg://", 1)
    await migrations_runner.upgrade(url)
    store_environment(tmp_path, {"DATABASE_URL": url, "NATS_URL": "nats://x", "PATH": "/none"})
    assert stat.S_IMODE((tmp_path / "environment.json").stat().st_mode) == 0o600
    accounts = Accounts(tmp_path, os.environ)
    connection = await asyncpg.connect(database_url)
    try:
        async with accounts.token() as token:
            assert token.startswith("pst_")
            assert tuple(await connection.fetchrow(_TOKENS)) == ("write", False, True)
        assert tuple(await connection.fetchrow(_TOKENS)) == ("write", True, True)
        assert await accounts.is_empty()
        await connection.execute(
            """INSERT INTO users (name, name_key, role, password_hash, disabled_at)
            VALUES ('a', 'a', 'viewer', 'x', now())"""
        )
        assert await accounts.is_empty()
        await connection.execute("UPDATE users SET disabled_at = NULL")
        assert not await accounts.is_empty()
    finally:
        await connection.close()


async def test_adding_a_user_without_a_stack_is_an_error(tmp_path: Path):
    store_environment(tmp_path, {"DATABASE_URL": "postgresql+asyncpg://a:secret@127.0.0.1:1/x"})
    with pytest.raises(AccountsError) as failed:
        await Accounts(tmp_path, os.environ).is_empty()
    assert "secret" not in str(failed.value)
    delete_environment(tmp_path)
    delete_environment(tmp_path)
    with pytest.raises(AccountsError, match="no stack is running"):
        await Accounts(tmp_path, os.environ).is_empty()
