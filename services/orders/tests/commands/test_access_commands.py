"""Users and tokens on the command line, against a real PostgreSQL."""

import asyncio
import io
import json
import os
import sys
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from pastelka_orders.commands import main, parser, perform
from services.orders.tests.command_line import Command, Result
from services.orders.tests.people import PASSWORD


@pytest.fixture
def command(orders_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """``await command("users", "list", typed="...")``, in this process; ``typed`` is standard input."""
    monkeypatch.setenv("DATABASE_URL", orders_url)

    async def run(*arguments: str, typed: str = "") -> Result:
        capsys.readouterr()
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code = await perform(parser().parse_args(arguments))
        found = capsys.readouterr()
        return Result(code, found.out, found.err)

    return run


async def sign_in(api: Any, name: str = "Jana", password: str = PASSWORD) -> dict[str, str] | None:
    """The header of a session, or ``None`` if that was refused."""
    response = await api.http.post("/session", json={"name": name, "password": password})
    api.http.cookies.clear()
    if response.status_code != 200:
        return None
    return {"Cookie": response.headers["set-cookie"].partition(";")[0]}


async def who(api: Any, headers: dict[str, str]) -> Any:
    return (await api.http.get("/session", headers=headers)).json()["caller"]


async def test_a_user_is_added_changed_disabled_and_removed(command: Command, locked_api: Any) -> None:
    assert (await command("users", "list")).out == "0 users\n"
    added = await command("users", "add", "Jana", typed=f"{PASSWORD}\n")
    assert (added.code, added.out, added.err) == (0, "Jana is added: operator\n", "")
    mine = await sign_in(locked_api)
    assert mine is not None
    assert await who(locked_api, mine) == {"name": "Jana", "kind": "user", "role": "operator"}
    # A change of the role holds at once, in the session that is there.
    assert (await command("users", "role", "jana", "viewer")).out == "jana is now viewer\n"
    assert (await who(locked_api, mine))["role"] == "viewer"
    assert (await locked_api.http.delete("/orders/M1", headers=mine)).json()["code"] == "operator_required"
    # Another password ends it.
    changed = await command("users", "passwd", "Jana", typed="another long password\n")
    assert changed.out == "Jana has a new password; 1 sessions ended\n"
    assert await who(locked_api, mine) is None
    assert await sign_in(locked_api) is None
    mine = await sign_in(locked_api, password="another long password")
    assert mine is not None
    assert (await command("users", "disable", "Jana")).out == "Jana is disabled; 1 sessions ended\n"
    assert await who(locked_api, mine) is None
    assert await sign_in(locked_api, password="another long password") is None
    assert (await command("users", "enable", "Jana")).out == "Jana is enabled\n"
    assert await who(locked_api, mine) is None
    mine = await sign_in(locked_api, password="another long password")
    assert mine is not None
    listed = json.loads((await command("users", "list", "--json")).out)
    assert [(one["name"], one["role"], one["disabled_at"]) for one in listed] == [("Jana", "viewer", None)]
    assert listed[0]["last_seen_at"] is not None
    assert (await command("users", "remove", "Jana")).out == "Jana is removed\n"
    assert await who(locked_api, mine) is None
    assert await sign_in(locked_api, password="another long password") is None


async def test_the_command_adds_a_user_as_a_process(orders_url: str, locked_api: Any) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pastelka_orders", "users", "add", "Jana"),
        env={**os.environ, "DATABASE_URL": orders_url},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(f"{PASSWORD}\n".encode()), 90)
    assert (process.returncode, out, err) == (0, b"Jana is added: operator\n", b"")
    assert await sign_in(locked_api) is not None


async def test_user_names_are_case_insensitive(command: Command, sql: asyncpg.Connection) -> None:
    await command("users", "add", "Žofie", "--role", "viewer", typed=f"{PASSWORD}\n")
    again = await command("users", "add", "žOFIE", typed=f"{PASSWORD}\n")
    assert (again.code, again.out) == (1, "")
    assert again.err.startswith("pastelka_orders: User 'žOFIE' already exists")
    assert await sql.fetchval("SELECT role::text FROM users") == "viewer"
    line = (await command("users", "list")).out.splitlines()[0]
    assert line.split() == ["Žofie", "viewer", "enabled", "no", "session"]


async def test_a_weak_password_is_refused(command: Command, sql: asyncpg.Connection) -> None:
    typed = ("", "elevenchars\n", "x" * 1001 + "\n")
    for one in typed:
        refused = await command("users", "add", "Jana", typed=one)
        said = (
            "pastelka_orders: A password must have 12 to 1000 characters, not counting surrounding spaces. "
            "Nothing was changed.\n"
        )
        assert (refused.code, refused.out, refused.err) == (1, "", said)
    assert await sql.fetchval("SELECT count(*) FROM users") == 0


async def test_an_unknown_user_is_an_error(command: Command) -> None:
    asked = (("passwd", "Eva"), ("role", "Eva", "viewer"), ("disable", "Eva"), ("remove", "Eva"))
    for one in asked:
        found = await command("users", *one, typed=f"{PASSWORD}\n")
        assert (found.code, found.out, found.err) == (1, "", "pastelka_orders: No user 'Eva'.\n")


async def test_a_token_is_printed_once_and_works_until_it_is_revoked(
    command: Command, locked_api: Any
) -> None:
    made = await command("tokens", "create", "nightly", "--scope", "write", "--expires", "2h")
    assert made.code == 0
    assert made.err.startswith("nightly may write until ")
    token = made.out.rstrip("\n")
    assert token.startswith("pst_")
    assert token not in made.err
    mine = {"Authorization": f"Bearer {token}"}
    assert await who(locked_api, mine) == {"name": "nightly", "kind": "token", "role": "operator"}
    listed = await command("tokens", "list", "--json")
    assert token.removeprefix("pst_") not in listed.out
    (one,) = json.loads(listed.out)
    assert (one["name"], one["scope"], one["state"]) == ("nightly", "write", "good")
    life = datetime.fromisoformat(one["expires_at"]) - datetime.fromisoformat(one["created_at"])
    assert timedelta(minutes=119) < life < timedelta(minutes=121)
    assert one["last_used_at"] is not None
    assert (await command("tokens", "create", "Nightly")).err == (
        "pastelka_orders: Token 'Nightly' already exists; revoke it, or choose another name.\n"
    )
    assert (await command("tokens", "revoke", "NIGHTLY")).out == "NIGHTLY is revoked\n"
    assert await who(locked_api, mine) is None
    again = await command("tokens", "revoke", "nightly")
    assert (again.code, again.err) == (
        1,
        "pastelka_orders: No active token 'nightly'.\n",
    )
    # The name is free again; to read is what a token may if nothing is said.
    await command("tokens", "create", "nightly")
    lines = (await command("tokens", "list")).out.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["nightly", "write", "revoked"],
        ["nightly", "read", "until"],
        ["2", "tokens"],
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("users",), "the following arguments are required: {add,list,passwd,role,disable,enable,remove}"),
        (("users", "add"), "the following arguments are required: name"),
        (("users", "add", " "), "is not a name of 1 to 100 printable characters"),
        (("users", "add", "a\x1b[31mb"), "is not a name of 1 to 100 printable characters"),
        (("users", "add", "Jana", "secret password"), "unrecognized arguments: secret password"),
        (("users", "role", "Jana", "admin"), "invalid choice: 'admin'"),
        (("tokens", "create", "x", "--scope", "all"), "invalid choice: 'all'"),
        (
            ("tokens", "create", "x", "--expires", "never"),
            "'never' is not a duration such as 90d, 12h or 30m",
        ),
        (("tokens", "create", "x", "--expires", "0d"), "'0d' is not a duration such as 90d, 12h or 30m"),
        (("tokens", "create", "x", "--expires", "731d"), "'731d' is not a duration such as 90d, 12h or 30m"),
    ],
)
def test_a_wrong_command_line(
    arguments: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    found = capsys.readouterr()
    assert (ended.value.code, found.out) == (2, "")
    assert complaint in found.err
