"""An order from photo to page and SVG in the local stack with its own bucket, read through the gateway."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from pastelka_common.servers import free_port
from pastelka_common.servers.bucket import is_available
from pastelka_common.storage import thumbnail_path
from pastelka_common.testing.fake_runpod import FakeRunpod, FakeRunpodSettings
from pastelka_common.testing.fake_vectorizer import FakeVectorizer
from pastelka_common.testing.waiting import until
from pastelka_local.accounts import Accounts
from pastelka_local.plan import StackFile
from pastelka_local.settings import Settings, read_settings
from pastelka_local.stack import Stack, end_stack
from pastelka_local.testing.stack import photo

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(not is_available(), reason="no S3-compatible server is available"),
]


@pytest_asyncio.fixture(loop_scope="session")
async def stack(tmp_path: Path) -> AsyncIterator[tuple[Settings, StackFile]]:
    """The stack of ``make start STORAGE=s3``, with fake providers and access control."""
    async with (
        FakeRunpod(FakeRunpodSettings(queue_seconds=0.2, run_seconds=0.2)) as runpod,
        FakeVectorizer(duration=0.2) as vectorizer,
    ):
        settings = read_settings(
            {
                **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
                "PASTELKA_DATA_DIR": str(tmp_path / "data"),
                "PASTELKA_PORT": str(free_port()),
                "PASTELKA_STATIC_PORT": str(free_port()),
                "PASTELKA_STORAGE": "s3",
                "AUTH_MODE": "password",
                "AWS_ACCESS_KEY_ID": "of another user",
                "AWS_SESSION_TOKEN": "of another user",
                "COLORING_PROVIDER": "runpod",
                "RUNPOD_API_KEY": runpod.settings.api_key,
                "RUNPOD_ENDPOINT_ID": "coloring-endpoint",
                "RUNPOD_BASE_URL": runpod.base_url,
                "RUNPOD_POLL_INTERVAL": "0.3",
                "VECTORIZE_PROVIDER": "vectorizer",
                "VECTORIZER_API_KEY": vectorizer.api_key,
                "VECTORIZER_API_SECRET": vectorizer.api_secret,
                "VECTORIZER_BASE_URL": vectorizer.base_url,
            }
        )
        try:
            yield settings, await Stack(settings, say=lambda _system: None).start()
        finally:
            await end_stack(settings, lambda _system: None)


async def _versions(http: httpx.AsyncClient, number: str) -> Any:
    order = (await http.get(f"/api/v1/orders/{number}")).json()
    return order["line_items"][0]["images"][0]


async def test_an_order_goes_from_photo_to_svg_over_a_bucket(stack: tuple[Settings, StackFile]) -> None:
    settings, running = stack
    async with (
        Accounts(settings.run, settings.environment).token() as token,
        httpx.AsyncClient(base_url=running.address, timeout=60) as anonymous,
        httpx.AsyncClient(
            base_url=running.address, headers={"Authorization": f"Bearer {token}"}, timeout=60
        ) as http,
    ):
        sent = [("photos", ("a.jpg", photo(1), "image/jpeg"))]
        made = await http.post("/api/v1/orders", files=sent, data={"process": "svg"})
        assert made.status_code == 201, made.text
        number = made.json()["order_number"]

        async def done() -> bool:
            svgs = (await _versions(http, number))["versions"]["svg"]
            return bool(svgs) and svgs[-1]["status"] == "completed"

        await until(done, 60)
        image = await _versions(http, number)
        files = {
            image["url"]: ("image/jpeg", b"\xff\xd8"),
            image["versions"]["coloring"][0]["url"]: ("image/png", b"\x89PNG"),
            image["versions"]["svg"][0]["url"]: ("image/svg+xml", b"<svg"),
            thumbnail_path(image["url"]): ("image/webp", b"RIFF"),
        }
        for url, (kind, start) in files.items():
            for address in (url, f"{running.address}{urlsplit(url).path}"):
                got = await http.get(address)
                assert (got.status_code, got.headers["content-type"].split(";")[0]) == (200, kind), address
                assert start in got.content[:200]
                assert not [name for name in got.headers if name.lower().startswith("x-amz")]
                refused = await anonymous.get(address)
                assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_required")
    await _the_commands_find_the_stack(settings, number)
    # The files are in the bucket only.
    assert (
        len([path for path in (settings.data / "s3" / "objects").rglob("image_1.*") if path.is_file()]) == 3
    )
    assert not any(path.is_file() for path in (settings.data / "storage").rglob("*"))


async def _the_commands_find_the_stack(settings: Settings, number: str) -> None:
    """Without an address, token or database, as in a shell of the same machine."""
    environment = {name: settings.environment[name] for name in ("PATH", "HOME", "PASTELKA_DATA_DIR")}
    documents = []
    for command in (
        ("orders", "list"),
        ("tokens", "list"),
        ("erase", "customer", "--order", number, "--dry-run"),
    ):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pastelka_local", *command, "--json"),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 90)
        assert process.returncode == 0, command
        documents.append(json.loads(out))
    orders, tokens, _ = documents
    assert [order["order_number"] for order in orders] == [number]
    own = [token for token in tokens if token["name"].startswith("stack-")]
    assert own[-1]["state"] == "revoked", "the command's own token is revoked when the command ends"
