"""The short form of the fault suite, as a part of every test run; the long one is ``make test-faults``.

Each test is a process of its own: it needs a mount namespace to fill a disk in.
"""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.faults import upgrade
from tests.faults.result import Result

_ROOT = Path(__file__).parents[2]


async def _run(folder: Path, seed: int, *only: str) -> Result:
    words = [argument for word in only for argument in ("--only", word)]
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "tests.faults",
            "--short",
            "--seed",
            str(seed),
            "--json",
            str(folder),
            *words,
        ),
        cwd=_ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    written = folder / f"short-{seed}.json"
    assert process.returncode in {0, 1}, output.decode()
    result = Result.read(written)
    assert result.violations == [], output.decode()
    assert result.quiet
    assert len(result.faults) >= len(only)
    return result


@pytest.mark.timeout(300)
async def test_everything_ends_well_though_parts_are_killed(tmp_path: Path) -> None:
    result = await _run(
        tmp_path,
        11,
        "kill",
        "term coloring",
        "term worker",
        "runpod lost",
        "runpod 500",
        "disk",
        "vectorizer drop",
    )
    assert result.submits >= result.images


@pytest.mark.timeout(300)
async def test_everything_ends_well_though_the_broker_forgets(tmp_path: Path) -> None:
    result = await _run(tmp_path, 12, "broker")
    assert {fault.name for fault in result.faults} == {"broker older", "broker damaged", "broker deleted"}


@pytest.mark.timeout(300)
async def test_a_rolling_upgrade_loses_nothing_and_no_request_fails(tmp_path: Path) -> None:
    upgraded = await upgrade.run(tmp_path, ("future",))
    assert upgraded.violations == []
    assert upgraded.images > 0
