"""Passwords: what is stored, what is compared, and that the time does not reveal unknown users."""

import asyncio
import threading
from typing import Any

import asyncpg
import pytest
from argon2 import PasswordHasher

from pastelka_orders.access.passwords import Passwords, password_problem
from pastelka_orders.settings import OrdersSettings

CREDENTIALS = {"name": "Jana", "password": "a long enough password"}


@pytest.fixture(autouse=True)
def cheap_passwords() -> None:
    """Leave the hashes of the service as expensive as they are."""


class Counting(PasswordHasher):
    """The real one, which notes what it compares with, and in which threads."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.compared: list[str] = []
        self.threads: list[int] = []

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.threads.append(threading.get_ident())
        return super().hash(password, salt=salt)

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002 - the library's name
        self.compared.append(str(hash))
        self.threads.append(threading.get_ident())
        return super().verify(hash, password)


async def test_a_hash_contains_its_parameters_and_not_the_password() -> None:
    kept = await Passwords().hash_password("příliš žluťoučký kůň")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await Passwords().match(kept, "příliš žluťoučký kůň")
    assert not await Passwords().match(kept, "prilis zlutoucky kun")


async def test_composed_and_decomposed_accents_are_equal() -> None:
    passwords = Passwords(Counting())
    assert await passwords.match(await passwords.hash_password("kůň" * 5), "ku\u030an\u030c" * 5)


async def test_an_unknown_user_is_compared_with_a_hash_of_the_same_cost() -> None:
    hasher = Counting()
    passwords = Passwords(hasher)
    kept = await passwords.hash_password("a password")
    await passwords.prepare()
    assert not await passwords.match(None, "the password of no user")
    assert not await passwords.match(kept, "another")
    of_unknown, of_known = hasher.compared
    assert of_unknown.split("$")[:4] == of_known.split("$")[:4] == ["", "argon2id", "v=19", "m=8,t=1,p=1"]


async def test_an_invalid_hash_matches_no_password() -> None:
    assert not await Passwords(Counting()).match("no hash", "no hash")


async def test_password_comparison_does_not_block_the_event_loop() -> None:
    hasher = Counting()
    passwords = Passwords(hasher)
    assert await passwords.match(await passwords.hash_password("a"), "a")
    assert len(hasher.threads) == 2
    assert threading.get_ident() not in hasher.threads


async def test_a_hash_with_old_parameters_is_renewed_at_the_next_sign_in(
    serving: Any, settings: OrdersSettings, people: Any, sql: asyncpg.Connection
) -> None:
    await people.user("Jana", "viewer")
    before = await sql.fetchval("SELECT password_hash FROM users")
    assert before.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    async with serving(settings.model_copy(update={"auth_mode": "password"})) as api:
        # Both compare with the old hash; the one that comes second finds the new one.
        answers = await asyncio.gather(*(api.http.post("/session", json=CREDENTIALS) for _ in range(3)))
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        after = await sql.fetchval("SELECT password_hash FROM users")
        assert after.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        assert (await api.http.post("/session", json=CREDENTIALS)).status_code == 200
    assert await sql.fetchval("SELECT password_hash FROM users") == after


async def test_a_password_changed_during_sign_in_creates_no_session(
    serving: Any, settings: OrdersSettings, people: Any, sql: asyncpg.Connection
) -> None:
    """Between comparing and beginning the session, the password changes and all sessions end."""
    await people.user("Jana", "viewer")
    other = await Passwords(Counting()).hash_password("another long password")
    async with serving(settings.model_copy(update={"auth_mode": "password"})) as api:
        transaction = sql.transaction()
        await transaction.start()
        await sql.execute("UPDATE users SET password_hash = $1", other)
        signing_in = asyncio.create_task(api.http.post("/session", json=CREDENTIALS))
        await until_waiting(sql)
        await sql.execute("DELETE FROM sessions")
        await transaction.commit()
        assert (await signing_in).status_code == 401
    assert await sql.fetchval("SELECT count(*) FROM sessions") == 0


async def until_waiting(sql: asyncpg.Connection) -> None:
    """Wait until another connection waits for what this one has locked."""
    async with asyncio.timeout(60):
        while not await sql.fetchval(  # noqa: ASYNC110 - another process
            # Not pg_stat_activity: that is the same until the transaction ends.
            """SELECT count(*) FROM pg_locks
            WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"""
        ):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("password", "refused"),
    [
        (" " * 12, "12 to 1000"),
        ("  short one   ", "12 to 1000"),
        ("\u200b" * 12, "12 to 1000"),
        ("\0" * 12, "12 to 1000"),
        ("aaaaaaaaaaaa", "different"),
        ("ab ab ab ab ab", "different"),
        ("x" * 1001, "12 to 1000"),
        ("correct horse", None),
        ("žluťoučký kůň", None),
    ],
)
def test_weak_passwords_are_rejected_with_a_reason(password: str, refused: str | None) -> None:
    reason = password_problem(password)
    assert (reason is None) if refused is None else (reason is not None and refused in reason)
