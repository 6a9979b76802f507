"""The API does not start without a lock where others can reach it; worker and commands need none."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from pastelka_orders.access.startup import startup_errors
from pastelka_orders.settings import OrdersSettings

ANYWHERE = "0.0.0.0"  # noqa: S104 - what is tested is that it is refused
URL = "postgresql+asyncpg://user:secret@127.0.0.1:1/none"
LOCAL = {"host": "127.0.0.1", "static_url": "http://localhost:8081/static"}
PROXY = {"auth_mode": "proxy", "auth_trusted_proxies": "10.0.0.2", "auth_proxy_operators": "*"}


def refused(**changes: str) -> list[str]:
    return startup_errors(OrdersSettings.model_validate({"database_url": URL, **LOCAL, **changes}))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"host": "::1"},
        {"host": "localhost"},
        {"static_url": "http://127.0.0.1:8081/static"},
        {"auth_mode": "password", "host": ANYWHERE, "static_url": "https://studio.example/static"},
        {**PROXY, "host": ANYWHERE},
    ],
)
def test_safe_access_settings_start_the_api(changes: dict[str, str]) -> None:
    assert refused(**changes) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"host": ANYWHERE}, ["AUTH_MODE: is open (the default), but HOST is 0.0.0.0, "]),
        ({"host": "::"}, ["AUTH_MODE: is open (the default), but HOST is ::, "]),
        ({"host": ""}, ["AUTH_MODE: is open (the default), but HOST is , "]),
        ({"host": "192.168.1.2"}, ["AUTH_MODE: is open (the default), but HOST is 192.168.1.2, "]),
        (
            {"static_url": "https://studio.example/static"},
            ["AUTH_MODE: is open (the default), but STATIC_URL is studio.example, "],
        ),
        (
            {**PROXY, "auth_trusted_proxies": " , "},
            ["AUTH_TRUSTED_PROXIES: is empty, but AUTH_MODE is proxy"],
        ),
        (
            {**PROXY, "auth_proxy_operators": ""},
            ["AUTH_PROXY_OPERATORS: is empty, and so is AUTH_PROXY_VIEWERS"],
        ),
        ({"auth_mode": "proxy"}, ["AUTH_TRUSTED_PROXIES: ", "AUTH_PROXY_OPERATORS: "]),
    ],
)
def test_unsafe_access_settings_are_rejected(changes: dict[str, str], said: list[str]) -> None:
    lines = refused(**changes)
    assert len(lines) == len(said)
    for line, beginning in zip(lines, said, strict=True):
        assert line.startswith(beginning)
    assert "secret" not in "".join(lines)


async def start(module: str, folder: Path, **env: str) -> tuple[int | None, str]:
    """Start a process; its exit code and standard error, or ``None`` if it is still there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AUTH_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        env={**kept, "DATABASE_URL": URL, "STORAGE_PATH": str(folder), "PORT": "0", **env},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await asyncio.wait_for(process.communicate(), 90)
    return process.returncode, err.decode()


async def test_the_api_reports_unsafe_settings_and_exits(tmp_path: Path) -> None:
    code, err = await start("pastelka_orders.entrypoints.api", tmp_path, HOST=ANYWHERE)
    assert code == 2
    assert err == (
        "AUTH_MODE: is open (the default), but HOST is 0.0.0.0, where other machines can reach the API; "
        "set AUTH_MODE=password (users in the database) or AUTH_MODE=proxy (an authenticating proxy), "
        "or bind to 127.0.0.1\n"
    )


async def test_a_command_does_not_check_the_auth_mode(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pastelka_orders", "users", "list"),
        env={**os.environ, "DATABASE_URL": URL, "STORAGE_PATH": str(tmp_path), "HOST": ANYWHERE},
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == 1
    assert "AUTH_MODE" not in err.decode()
    assert "secret" not in err.decode()
