"""``pastelka orders`` against a running system."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from pastelka_common.testing.fake_runpod import JobPlan
from pastelka_local.testing.stack import photo
from tests.system import System

pytestmark = pytest.mark.server


async def _spawn(system: System, *arguments: str, folder: Path | None = None) -> asyncio.subprocess.Process:
    assert system.stack.nginx is not None
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pastelka_local", *arguments),
        cwd=folder,
        env={**os.environ, "PASTELKA_URL": system.stack.nginx.address, "COLUMNS": "200"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def _pastelka(system: System, *arguments: str, folder: Path | None = None) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    process = await _spawn(system, *arguments, folder=folder)
    out, err = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def _document(system: System, *arguments: str, folder: Path | None = None) -> Any:
    code, out, err = await _pastelka(system, *arguments, "--json", folder=folder)
    assert code == 0, err
    return json.loads(out)


async def test_an_order_from_photos_to_its_pdf(system: System, tmp_path: Path) -> None:
    for seed in (1, 2):
        (tmp_path / f"photo {seed}.jpg").write_bytes(photo(seed))
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo")
    system.runpod.plan(*[JobPlan(states=["IN_PROGRESS"])] * 2)
    files = [str(tmp_path / name) for name in ("photo 1.jpg", "photo 2.jpg", "broken.jpg")]
    code, out, err = await _pastelka(
        system, "orders", "create", *files, "--customer", "Jana", "--process", "svg"
    )
    assert code == 0, err
    assert "broken.jpg: " in err
    number = out.strip()

    watching = await _spawn(system, "orders", "watch", number, "--json")
    assert watching.stdout is not None
    first = json.loads(await asyncio.wait_for(watching.stdout.readline(), 60))
    assert first["order_number"] == number
    system.runpod.advance("COMPLETED")
    out, err = (text.decode() for text in await asyncio.wait_for(watching.communicate(), 60))
    assert watching.returncode == 0, err
    last = json.loads(out.splitlines()[-1])
    assert [version["status"] for version in last["versions"]] == ["completed"] * 4

    order = await _document(system, "orders", "show", number)
    assert (order["order_number"], order["customer_name"]) == (number, "Jana")
    assert "v1 completed" in (await _pastelka(system, "orders", "show", number))[1]
    listed = await _document(system, "orders", "list", number)
    assert [item["order_number"] for item in listed] == [number]
    assert number in (await _pastelka(system, "orders", "list"))[1]

    saved = await _document(system, "orders", "print", number, folder=tmp_path)
    pdf = tmp_path / f"{number}.pdf"
    assert saved == {"file": pdf.name, "bytes": pdf.stat().st_size}
    assert pdf.read_bytes().startswith(b"%PDF-")


async def test_a_failed_version_is_reported_with_exit_status_1(system: System, tmp_path: Path) -> None:
    code, out, err = await _pastelka(system, "orders", "show", "M999999")
    assert (code, out) == (1, "")
    assert "M999999" in err
    (tmp_path / "photo.jpg").write_bytes(photo(1))
    number = (await _pastelka(system, "orders", "create", str(tmp_path / "photo.jpg")))[1].strip()
    code, _, err = await _pastelka(system, "orders", "print", number, folder=tmp_path)
    assert code == 1
    assert err.startswith("pastelka: ")
    assert os.listdir(tmp_path) == ["photo.jpg"], "no partial file is left"  # noqa: PTH208


async def test_an_unreachable_address_is_reported(system: System) -> None:
    code, _, err = await _pastelka(system, "orders", "list", "--url", "http://127.0.0.1:1")
    assert code == 1
    assert "127.0.0.1:1" in err
