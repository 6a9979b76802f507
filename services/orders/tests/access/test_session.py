"""Signing in and out with a password: the cookie, the session behind it, and what ends it."""

from http.cookies import Morsel, SimpleCookie
from typing import Any

import asyncpg
import httpx

CREDENTIALS = {"name": "Jana", "password": "a long enough password"}


def cookies(response: httpx.Response) -> dict[str, Morsel[str]]:
    """The cookies that an answer sets, by name."""
    found: dict[str, Morsel[str]] = {}
    for line in response.headers.get_list("set-cookie"):
        found.update(SimpleCookie(line))
    return found


def header(response: httpx.Response) -> dict[str, str]:
    """What a browser sends from then on."""
    return {"Cookie": f"pastelka_session={cookies(response)['pastelka_session'].value}"}


async def test_an_unauthenticated_caller_is_null(locked_api: Any) -> None:
    response = await locked_api.http.get("/session")
    assert response.status_code == 200
    assert response.json() == {"mode": "password", "caller": None}
    assert not cookies(response)
    assert (await locked_api.http.get("/session/check")).status_code == 401


async def test_signing_in_grants_access_until_signing_out(locked_api: Any, people: Any) -> None:
    await people.user("Jana", "operator")
    http = locked_api.http
    assert (await http.get("/orders")).json()["code"] == "sign_in_required"
    response = await http.post("/session", json={"name": " jANA ", "password": CREDENTIALS["password"]})
    document = {"mode": "password", "caller": {"name": "Jana", "kind": "user", "role": "operator"}}
    assert (response.status_code, response.json()) == (200, document)
    mine = header(response)
    http.cookies.clear()
    assert (await http.get("/orders", headers=mine)).status_code == 200
    assert (await http.get("/session/check", headers=mine)).status_code == 204
    assert (await http.get("/session", headers=mine)).json() == document
    gone = await http.delete("/session", headers=mine)
    assert gone.status_code == 204
    left = cookies(gone)
    assert {name: cookie["max-age"] for name, cookie in left.items()} == {
        "pastelka_session": "0",
        "mercureAuthorization": "0",
    }
    assert left["mercureAuthorization"]["path"] == "/.well-known/mercure"
    # Not only the browser forgets it.
    assert (await http.get("/orders", headers=mine)).status_code == 401
    assert (await http.delete("/session", headers=mine)).status_code == 204


async def test_the_cookies_of_a_session(locked_api: Any, people: Any) -> None:
    await people.user("Jana", "viewer")
    response = await locked_api.http.post("/session", json=CREDENTIALS)
    mine = cookies(response)["pastelka_session"]
    assert (mine["httponly"], mine["samesite"], mine["path"], mine["secure"]) == (True, "lax", "/", "")
    assert len(mine.value) == 43
    assert cookies(response)["mercureAuthorization"]["httponly"]
    assert response.headers["cache-control"] == "no-store"
    secure = await locked_api.http.post(
        "/session", json=CREDENTIALS, headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    )
    assert cookies(secure)["pastelka_session"]["secure"] is True
    listed = await locked_api.http.get("/session", headers=header(secure))
    assert "mercureAuthorization" in cookies(listed)


async def test_signing_in_again_ends_the_previous_session(
    locked_api: Any, people: Any, sql: asyncpg.Connection
) -> None:
    await people.user("Jana", "viewer")
    first = header(await locked_api.http.post("/session", json=CREDENTIALS))
    locked_api.http.cookies.clear()
    second = header(await locked_api.http.post("/session", json=CREDENTIALS, headers=first))
    assert first != second
    locked_api.http.cookies.clear()
    assert (await locked_api.http.get("/orders", headers=first)).status_code == 401
    assert (await locked_api.http.get("/orders", headers=second)).status_code == 200
    assert await sql.fetchval("SELECT count(*) FROM sessions") == 1


async def test_a_forged_session_cookie_is_not_accepted(locked_api: Any, people: Any) -> None:
    await people.user("Jana", "viewer")
    fixed = {"Cookie": f"pastelka_session={'A' * 43}"}
    response = await locked_api.http.post("/session", json=CREDENTIALS, headers=fixed)
    locked_api.http.cookies.clear()
    assert header(response) != fixed
    assert (await locked_api.http.get("/orders", headers=fixed)).status_code == 401


async def test_a_wrong_password_and_a_wrong_name_get_the_same_response(locked_api: Any, people: Any) -> None:
    await people.user("Jana", "viewer")
    answers = [
        await locked_api.http.post("/session", json={**CREDENTIALS, **wrong})
        for wrong in ({"password": "not the password"}, {"name": "Petr"})
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["code"] == "bad_credentials"
    assert answers[0].headers["www-authenticate"] == 'Bearer realm="pastelka"'
    assert not cookies(answers[0])


async def test_password_sign_in_is_rejected_in_other_modes(api: Any) -> None:
    response = await api.http.post("/session", json=CREDENTIALS)
    assert (response.status_code, response.json()["code"]) == (409, "no_passwords")
    document = {"mode": "open", "caller": {"name": "open", "kind": "open", "role": "operator"}}
    assert (await api.http.get("/session")).json() == document
    assert (await api.http.get("/session/check")).status_code == 204
    assert (await api.http.delete("/session")).status_code == 204


async def test_the_database_holds_hashes_only(locked_api: Any, people: Any, sql: asyncpg.Connection) -> None:
    await people.user("Jana", "viewer")
    token = (await people.token("write"))["Authorization"].removeprefix("Bearer ")
    mine = cookies(await locked_api.http.post("/session", json=CREDENTIALS))["pastelka_session"].value
    for table in ("users", "sessions", "api_tokens", "sign_in_throttle"):
        rows = [repr(dict(row)) for row in await sql.fetch(f"TABLE {table}")]
        assert rows
        for known in (CREDENTIALS["password"], token, token.removeprefix("pst_"), mine):
            assert not [row for row in rows if known in row], table
    assert (await sql.fetchval("SELECT password_hash FROM users")).startswith("$argon2id$v=19$")
    assert len(await sql.fetchval("SELECT secret_hash FROM sessions")) == 32


async def test_invisible_characters_in_a_user_name_are_ignored(locked_api: Any, people: Any) -> None:
    await people.user("Jana", "viewer")
    for name, status in (("Eva\0", 401), ("\0", 401), ("\u202eJana\u200b", 200), ("Ja\0na", 200)):
        response = await locked_api.http.post("/session", json={**CREDENTIALS, "name": name})
        assert response.status_code == status, ascii(name)
