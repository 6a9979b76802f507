"""Signing in is throttled for each name and each address, over all replicas."""

import asyncio
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import asyncpg
import pytest_asyncio

from pastelka_orders.database import Database
from pastelka_orders.repository import known_devices, sign_in_throttle
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


async def test_a_name_is_throttled_across_replicas(
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


async def test_an_address_is_throttled_across_names(
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


async def test_a_forged_client_address_does_not_evade_the_throttle(
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


async def test_an_ipv6_64_prefix_is_one_client(serving: Any, strict: OrdersSettings) -> None:
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


async def test_successful_sign_ins_do_not_count_as_attempts(
    serving: Any, strict: OrdersSettings, people: Any
) -> None:
    await people.user("Jana", "viewer")
    async with serving(strict) as api:
        found = [status(await api.http.post("/session", json=RIGHT)) for _ in range(7)]
    assert found == [200] * 7


async def test_concurrent_attempts_are_counted_individually(database: Database) -> None:
    rate, key = Rate(5, timedelta(minutes=15)), b"x" * 32

    async def attempt() -> int:
        return await database.write(lambda c: sign_in_throttle.consume(c, key, rate))

    waits = await asyncio.gather(*(attempt() for _ in range(20)))
    assert sorted(waits)[:6] == [0, 0, 0, 0, 0, max(waits)]
    assert {170 <= wait <= 180 for wait in waits if wait} == {True}


async def test_expired_throttle_entries_are_deleted(
    serving: Any, strict: OrdersSettings, sql: asyncpg.Connection
) -> None:
    async with serving(strict) as api:
        await api.http.post("/session", json=WRONG)
        assert await sql.fetchval("SELECT count(*) FROM sign_in_throttle") == 2
        await sql.execute("UPDATE sign_in_throttle SET free_at = now() - interval '1 s'")
        await api.http.post("/session", json={**WRONG, "name": "Eva"})
    assert await sql.fetchval("SELECT count(*) FROM sign_in_throttle") == 2


def device_of(response: Any) -> dict[str, str]:
    """The header with the device cookie that an answer sets."""
    (line,) = [one for one in response.headers.get_list("set-cookie") if one.startswith("pastelka_device=")]
    cookie = SimpleCookie(line)["pastelka_device"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "strict", "/api/v1/session")
    return {"Cookie": f"pastelka_device={cookie.value}"}


async def signed_in_from(api: Any, headers: dict[str, str], credentials: dict[str, str] = RIGHT) -> Any:
    """Sign in with nothing in the cookie jar but what is given."""
    api.http.cookies.clear()
    return await api.http.post("/session", json=credentials, headers=headers)


async def test_guesses_from_many_addresses_do_not_lock_out_a_known_device(
    serving: Any, strict: OrdersSettings, people: Any
) -> None:
    """Twenty guesses for each time the owner comes: the name's allowance is always used up."""
    await people.user("Jana", "viewer")
    home = {"X-Forwarded-For": "203.0.113.9"}
    async with serving(strict) as api:
        known = device_of(await signed_in_from(api, home))
        guesses = (f"198.51.{number // 250}.{number % 250}" for number in range(1, 1000))
        for _ in range(10):
            found = [
                status(await signed_in_from(api, {"X-Forwarded-For": next(guesses)}, WRONG))
                for _ in range(20)
            ]
            assert found[-1] == 429
            response = await signed_in_from(api, {**home, **known})
            assert response.status_code == 200
            assert device_of(response) == known
        # A browser in which she has never signed in waits as anybody does, and is told for how long.
        new = await signed_in_from(api, home)
        assert (new.status_code, new.json()["code"]) == (429, "too_many_attempts")
        assert 1 <= int(new.headers["retry-after"]) <= 300


async def test_a_known_device_has_an_allowance_for_its_own_name_only(
    serving: Any, strict: OrdersSettings, people: Any
) -> None:
    await people.user("Jana", "viewer")
    await people.user("Eva", "viewer")
    async with serving(strict) as api:
        known = device_of(await signed_in_from(api, {}))
        other = {**WRONG, "name": "Eva"}
        for _ in range(3):
            assert status(await signed_in_from(api, known, WRONG)) == 401
            assert status(await signed_in_from(api, {}, other)) == 401
        assert status(await signed_in_from(api, known)) == 429
        assert status(await signed_in_from(api, known, {**RIGHT, "name": "Eva"})) == 429
        # The name itself has its own allowance left, from another address.
        away = {"X-Forwarded-For": "203.0.113.10"}
        assert status(await signed_in_from(api, away)) == 200


async def test_a_forged_device_cookie_is_not_known(serving: Any, strict: OrdersSettings, people: Any) -> None:
    await people.user("Jana", "viewer")
    async with serving(strict) as api:
        for number in range(3):
            chosen = {"Cookie": f"pastelka_device={'A' * 42}{number}"}
            assert status(await signed_in_from(api, chosen, WRONG)) == 401
        assert status(await signed_in_from(api, {"Cookie": f"pastelka_device={'B' * 43}"})) == 429


async def test_the_newest_devices_of_a_user_are_kept(
    serving: Any, strict: OrdersSettings, people: Any, sql: asyncpg.Connection
) -> None:
    await people.user("Jana", "viewer")
    async with serving(strict) as api:
        devices = [device_of(await signed_in_from(api, {})) for _ in range(known_devices.MAX_PER_USER + 2)]
        assert await sql.fetchval("SELECT count(*) FROM known_devices") == known_devices.MAX_PER_USER
        for _ in range(3):
            assert status(await signed_in_from(api, {}, WRONG)) == 401
        assert status(await signed_in_from(api, devices[0])) == 429
        assert status(await signed_in_from(api, devices[-1])) == 200
        await sql.execute("UPDATE known_devices SET used_at = now() - interval '181 days'")
        assert status(await signed_in_from(api, devices[-1])) == 429
