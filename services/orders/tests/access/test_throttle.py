"""Signing in is throttled for each name and each address, over all replicas."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest_asyncio

from pastelka_orders.database import Database
from pastelka_orders.repository import sign_in_throttle
from pastelka_orders.repository.sign_in_throttle import Rate
from pastelka_orders.settings import OrdersSettings

RIGHT = {"name": "Jana", "password": "a long enough password"}
WRONG = {"name": "Jana", "password": "not the password"}


@pytest_asyncio.fixture(loop_scope="session")
async def strict(settings: OrdersSettings) -> OrdersSettings:
    """Three attempts for a name, five for an address."""
    changed = {"auth_mode": "password", "sign_in_tries_per_name": 3, "sign_in_tries_per_address": 5}
    return settings.model_copy(update=changed)


def status(response: Any) -> int:
    return int(response.status_code)


async def test_a_name_is_throttled_at_every_replica(
    serving: Any, strict: OrdersSettings, people: Any, sql: asyncpg.Connection
) -> None:
    await people.user("Jana", "viewer")
    async with serving(strict) as one, serving(strict) as other:
        for api in (one, other, one):
            assert status(await api.http.post("/session", json=WRONG)) == 401
        refused = await other.http.post("/session", json=RIGHT)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
        assert 290 < int(refused.headers["retry-after"]) <= 300
        assert refused.headers["retry-after"] in refused.json()["detail"]
        # Not for others: names are counted one by one.
        assert status(await other.http.post("/session", json={**WRONG, "name": "Eva"})) == 401
        # An attempt comes back by itself after its share of a quarter of an hour.
        await sql.execute("UPDATE sign_in_throttle SET free_at = free_at - interval '300 s'")
        assert status(await other.http.post("/session", json=RIGHT)) == 200


async def test_an_address_is_throttled_whatever_the_name(
    serving: Any, strict: OrdersSettings, people: Any
) -> None:
    await people.user("Jana", "viewer")
    here, there = {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "203.0.113.10"}
    async with serving(strict) as api:
        for number in range(5):
            guess = {"name": f"name {number}", "password": "a guess"}
            assert status(await api.http.post("/session", json=guess, headers=here)) == 401
        assert status(await api.http.post("/session", json=RIGHT, headers=here)) == 429
        assert status(await api.http.post("/session", json=RIGHT, headers=there)) == 200


async def test_what_a_client_claims_of_its_address_changes_nothing(
    serving: Any, strict: OrdersSettings
) -> None:
    async with serving(strict, peer="203.0.113.9") as api:
        found = [
            status(
                await api.http.post(
                    "/session",
                    json={"name": f"name {number}", "password": "a guess"},
                    headers={"X-Forwarded-For": f"198.51.100.{number}"},
                )
            )
            for number in range(6)
        ]
    assert found == [401] * 5 + [429]


async def test_half_of_an_ipv6_address_is_one_client(serving: Any, strict: OrdersSettings) -> None:
    async with serving(strict) as api:
        found = [
            status(
                await api.http.post(
                    "/session",
                    json={"name": f"name {number}", "password": "a guess"},
                    headers={"X-Forwarded-For": f"2001:db8:1:2::{number}"},
                )
            )
            for number in range(6)
        ]
        assert found == [401] * 5 + [429]
        elsewhere = {"X-Forwarded-For": "2001:db8:1:3::1"}
        guess = {"name": "name 9", "password": "a guess"}
        assert status(await api.http.post("/session", json=guess, headers=elsewhere)) == 401


async def test_who_signs_in_uses_nothing_up(serving: Any, strict: OrdersSettings, people: Any) -> None:
    await people.user("Jana", "viewer")
    async with serving(strict) as api:
        found = [status(await api.http.post("/session", json=RIGHT)) for _ in range(7)]
    assert found == [200] * 7


async def test_attempts_at_the_same_moment_are_counted_one_by_one(database: Database) -> None:
    rate, key = Rate(5, timedelta(minutes=15)), b"x" * 32

    async def attempt() -> int:
        return await database.write(lambda c: sign_in_throttle.take(c, key, rate))

    waits = await asyncio.gather(*(attempt() for _ in range(20)))
    assert sorted(waits)[:6] == [0, 0, 0, 0, 0, max(waits)]
    assert {170 <= wait <= 180 for wait in waits if wait} == {True}


async def test_names_that_are_not_throttled_any_more_are_forgotten(
    serving: Any, strict: OrdersSettings, sql: asyncpg.Connection
) -> None:
    async with serving(strict) as api:
        await api.http.post("/session", json=WRONG)
        assert await sql.fetchval("SELECT count(*) FROM sign_in_throttle") == 2
        await sql.execute("UPDATE sign_in_throttle SET free_at = now() - interval '1 s'")
        await api.http.post("/session", json={**WRONG, "name": "Eva"})
    assert await sql.fetchval("SELECT count(*) FROM sign_in_throttle") == 2
