"""Dead letters end with what they are about: one a version, and none that was dealt with."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pastelka_common.contracts.messages import DeadLetter, Failure, now

GiveUp = Callable[..., Awaitable[None]]


async def letters(broken: Any) -> int:
    return (await broken.js.stream_info("DEAD")).state.messages


@pytest.fixture
def give_up(broken: Any, worker: Any) -> GiveUp:
    """End a run of a version in error, with a dead letter, as its worker does."""

    async def end(kind: str, version_id: int, run: int = 1) -> None:
        job = json.loads((await broken.js.get_last_msg("JOBS", f"jobs.{kind}.{version_id}")).data)
        assert job["run"] == run
        await worker.end(kind, version_id, "error", run=run)
        await write(broken, f"jobs.{kind}.{version_id}", json.dumps(job))

    return end


async def write(broken: Any, subject: str, payload: str) -> None:
    letter = DeadLetter(
        original_subject=subject,
        original_payload=payload,
        failure=Failure(code="provider_failed", message="No."),
        attempt=1,
        at=now(),
    )
    await broken.js.publish(letter.subject, letter.model_dump_json().encode())


async def test_retries_keep_one_dead_letter_and_completion_removes_it(
    api: Any, broken: Any, coloring: Any, worker: Any, give_up: GiveUp
) -> None:
    version_id = await coloring()
    for run in range(1, 8):
        await give_up("coloring", version_id, run)
        await broken.run_once()
        assert await letters(broken) == 1
        await api.post(f"/coloring-versions/{version_id}/retry")
        await broken.published()
    await broken.run_once()
    assert await letters(broken) == 0  # the eighth run is on its way
    await worker.end("coloring", version_id, run=8)
    await broken.run_once()
    assert await letters(broken) == 0


async def test_a_newer_failure_replaces_the_dead_letter(
    api: Any, broken: Any, coloring: Any, give_up: GiveUp
) -> None:
    version_id = await coloring()
    for run in (1, 2, 3):
        await give_up("coloring", version_id, run)
        assert await letters(broken) == 1
        await api.post(f"/coloring-versions/{version_id}/retry")
        await broken.published()
    letter = DeadLetter.model_validate_json(
        (await broken.js.get_last_msg("DEAD", f"dead.jobs.coloring.{version_id}")).data
    )
    assert json.loads(letter.original_payload)["run"] == 3


async def test_a_dead_letter_of_an_active_version_is_kept(broken: Any, coloring: Any) -> None:
    version_id = await coloring()
    subject = f"jobs.coloring.{version_id}"
    await write(broken, subject, (await broken.js.get_last_msg("JOBS", subject)).data.decode())
    assert await broken.run_once() == []
    assert await letters(broken) == 1


async def test_the_dead_letter_of_a_retried_and_cancelled_version_is_removed(
    api: Any, broken: Any, coloring: Any, give_up: GiveUp
) -> None:
    version_id = await coloring()
    await give_up("coloring", version_id)
    await api.post(f"/coloring-versions/{version_id}/retry")
    await api.post(f"/coloring-versions/{version_id}/cancel", status=200)
    await broken.published()
    await broken.run_once()
    assert await letters(broken) == 0


async def test_the_dead_letter_of_a_deleted_version_is_removed(
    broken: Any, coloring: Any, give_up: GiveUp, sql: Any
) -> None:
    await give_up("coloring", await coloring())
    await sql.execute("DELETE FROM coloring_versions")
    await broken.run_once()
    assert await letters(broken) == 0


async def test_the_dead_letter_of_a_download_is_removed_once_its_error_is_cleared(
    api: Any, broken: Any, sql: Any
) -> None:
    await api.order()
    await sql.execute("UPDATE images SET download_error_code = 'photo_gone' WHERE id = 1")
    for subject in ("download.1", f"jobs.{'download'}.1"):  # the latter of an old release
        await write(broken, subject, '{"image_id": 1}')
    await broken.run_once()
    assert await letters(broken) == 2
    await sql.execute("UPDATE images SET download_error_code = NULL WHERE id = 1")
    await broken.run_once()
    assert await letters(broken) == 0


async def test_unrecognized_dead_letters_are_kept(broken: Any) -> None:
    await write(broken, "jobs.coloring.999999", '{"version_id": 999999}')
    await broken.js.publish("dead.jobs.svg.999999", b"no letter")
    await write(broken, "sync.7", "{}")
    await broken.run_once()
    assert await letters(broken) == 3


async def test_a_dry_run_removes_no_dead_letter(
    broken: Any, coloring: Any, give_up: GiveUp, sql: Any
) -> None:
    await give_up("coloring", await coloring())
    await sql.execute("DELETE FROM coloring_versions")
    await broken.run_once(dry_run=True)
    assert await letters(broken) == 1
