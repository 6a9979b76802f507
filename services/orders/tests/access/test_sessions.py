"""How long a session lives, what ends it, and what a request costs."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
from sqlalchemy import event

from pastelka_orders.access import secret
from pastelka_orders.database import Database
from pastelka_orders.repository import sessions
from pastelka_orders.repository.sessions import SessionLife

CREDENTIALS = {"name": "Jana", "password": "a long enough password"}
LEFT = "SELECT extract(epoch FROM expires_at - now())::float8 FROM sessions"


async def test_a_session_is_extended_while_it_is_used(
    locked_api: Any, people: Any, sql: asyncpg.Connection
) -> None:
    mine = await people.signed_in("viewer")
    await sql.execute("UPDATE sessions SET last_seen_at = now() - interval '2 minutes'")
    assert await sql.fetchval(LEFT) < 3601
    await locked_api.http.get("/session", headers=mine)
    assert 12 * 3600 - 60 < await sql.fetchval(LEFT) <= 12 * 3600
    # Not with every request: once a minute.
    before = await sql.fetchrow("SELECT * FROM sessions")
    await locked_api.http.get("/session", headers=mine)
    assert await sql.fetchrow("SELECT * FROM sessions") == before


async def test_a_session_is_not_extended_beyond_its_maximum_lifetime(
    locked_api: Any, people: Any, sql: asyncpg.Connection
) -> None:
    mine = await people.signed_in("viewer")
    await sql.execute(
        """UPDATE sessions SET created_at = now() - interval '167 hours',
        last_seen_at = now() - interval '1 hour'"""
    )
    await locked_api.http.get("/session", headers=mine)
    assert 3500 < await sql.fetchval(LEFT) <= 3600


async def test_an_expired_session_is_not_renewed(
    locked_api: Any, people: Any, sql: asyncpg.Connection
) -> None:
    mine = await people.signed_in("viewer")
    await sql.execute(
        "UPDATE sessions SET expires_at = now() - interval '1 s', last_seen_at = now() - interval '1 day'"
    )
    assert (await locked_api.http.get("/session", headers=mine)).json()["caller"] is None
    assert (await locked_api.http.get("/orders", headers=mine)).status_code == 401


async def test_expired_sessions_are_deleted_at_the_next_sign_in(
    database: Database, people: Any, sql: asyncpg.Connection
) -> None:
    await people.signed_in("viewer")
    await sql.execute("UPDATE sessions SET expires_at = now() - interval '1 s'")
    await people.session("viewer")
    assert await sql.fetchval("SELECT count(*) FROM sessions") == 1


async def test_concurrent_sign_ins_succeed(locked_api: Any, people: Any, sql: asyncpg.Connection) -> None:
    for number in range(3):
        await people.user(f"user {number}", "viewer")
    wanted = [{**CREDENTIALS, "name": f"user {number % 3}"} for number in range(9)]
    answers = await asyncio.gather(*(locked_api.http.post("/session", json=one) for one in wanted))
    assert [answer.status_code for answer in answers] == [200] * 9
    assert {answer.json()["caller"]["name"] for answer in answers} == {"user 0", "user 1", "user 2"}
    # The client sends the cookie it was last given, so that a sign-in may end another's session.
    assert 1 <= await sql.fetchval("SELECT count(*) FROM sessions") <= 9


async def test_authenticating_a_request_takes_one_query(locked_api: Any, people: Any) -> None:
    mine, token = await people.signed_in("viewer"), await people.token("read")
    database: Database = locked_api.app.state.services.database
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    await locked_api.http.get("/session/check", headers=token)  # notes that it is used
    for engine in (database.engine, database._reading):
        event.listen(engine.sync_engine, "before_cursor_execute", note)
    for headers in (mine, token):
        assert (await locked_api.http.get("/session/check", headers=headers)).status_code == 204
    assert len(asked) == 2
    assert "FROM sessions" in asked[0]
    assert "FROM api_tokens" in asked[1]
    # What cannot be a secret of ours is not even looked for.
    asked.clear()
    for headers in ({}, {"Cookie": "pastelka_session=x"}, {"Authorization": "Bearer x"}):
        assert (await locked_api.http.get("/session/check", headers=headers)).status_code == 401
    assert asked == []


async def test_the_session_query_uses_indexes(
    database: Database, people: Any, sql: asyncpg.Connection
) -> None:
    await people.signed_in("viewer")
    await sql.execute(
        """INSERT INTO users (name, name_key, role, password_hash)
            SELECT n, n, 'viewer', '' FROM generate_series(1, 2000) s, LATERAL (SELECT 'n' || s AS n) x;
        INSERT INTO sessions (secret_hash, user_id, expires_at)
            SELECT decode(lpad(to_hex(s), 64, '0'), 'hex'), s, now() + interval '1 h'
            FROM generate_series(1, 2000) s;
        ANALYZE users, sessions"""
    )
    plan = "\n".join(
        row[0]
        for row in await sql.fetch(
            "EXPLAIN " + str(sessions._FIND).replace(":hash", "'\\x01'::bytea").replace("%%", "%")
        )
    )
    assert "sessions_pkey" in plan
    assert "users_pkey" in plan
    assert "Seq Scan" not in plan


async def test_the_last_use_of_a_token_is_recorded_at_intervals(
    locked_api: Any, people: Any, sql: asyncpg.Connection
) -> None:
    token = await people.token("read")
    assert await sql.fetchval("SELECT last_used_at FROM api_tokens") is None
    await locked_api.http.get("/session/check", headers=token)
    first = await sql.fetchval("SELECT last_used_at FROM api_tokens")
    assert first is not None
    await locked_api.http.get("/session/check", headers=token)
    assert await sql.fetchval("SELECT last_used_at FROM api_tokens") == first
    await sql.execute("UPDATE api_tokens SET last_used_at = now() - interval '1 hour'")
    await locked_api.http.get("/session/check", headers=token)
    assert await sql.fetchval("SELECT last_used_at FROM api_tokens") > first


async def test_an_idle_timeout_above_the_maximum_lifetime_is_capped(
    database: Database, people: Any, sql: asyncpg.Connection
) -> None:
    await people.user("Jana", "viewer")
    life = SessionLife(idle=timedelta(days=7), maximum=timedelta(hours=1))
    user_id = await sql.fetchval("SELECT id FROM users")
    await database.write(lambda c: sessions.add(c, secret.hash_secret("x"), user_id, life))
    assert 3500 < await sql.fetchval(LEFT) <= 3600
