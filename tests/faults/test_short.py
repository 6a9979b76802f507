"""The short form of the fault suite, part of every test run; the long one is ``make test-faults``.

Each test is a separate process: it needs a mount namespace to fill a disk in.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.server

_ROOT = Path(__file__).parents[2]


async def _run(folder: Path, *arguments: str) -> Any:
    """The result of one run, which must not contain a violation."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults", "--short", "--json", str(folder), *arguments),
        cwd=_ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    assert process.returncode == 0, output.decode()
    return await asyncio.to_thread(_read, folder)


def _read(folder: Path) -> Any:
    (written,) = folder.glob("*.json")
    return json.loads(written.read_text())


@pytest.mark.timeout(300)
async def test_the_system_recovers_from_killed_processes(tmp_path: Path) -> None:
    kinds = ("kill", "term coloring", "term worker", "runpod lost", "runpod 500", "vectorizer drop", "disk")
    words = [argument for kind in kinds for argument in ("--only", kind)]
    result = await _run(tmp_path, "--seed", "11", *words)
    assert result["quiet"]
    assert result["submits"] >= result["images"]
    assert len(result["faults"]) == 15


@pytest.mark.timeout(300)
async def test_the_system_recovers_from_lost_broker_state(tmp_path: Path) -> None:
    result = await _run(tmp_path, "--seed", "12", "--only", "broker")
    assert result["quiet"]
    assert {fault["name"] for fault in result["faults"]} == {
        "broker older",
        "broker damaged",
        "broker deleted",
        "broker -ERR",
        "broker foreign stream",
    }


@pytest.mark.timeout(300)
async def test_a_rolling_upgrade_loses_nothing_and_no_request_fails(tmp_path: Path) -> None:
    result = await _run(tmp_path, "--upgrade")
    assert result["restarts"] == 7
    assert result["images"] > 0
