"""What the storage remembers of a version's runs."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from pastelka_common.contracts.messages import ColoringJob, now
from pastelka_common.contracts.options import ColoringOptions
from pastelka_common.jobs.run_markers import RunMarkers
from pastelka_common.storage import FolderStorage, StorageUnavailableError
from pastelka_common.testing.places import Place, storage_of

TARGET = "42/121/coloring/v1/image_1.png"


@pytest.fixture
def markers(tmp_path: Path) -> RunMarkers:
    return RunMarkers(FolderStorage(tmp_path))


def job(**changes) -> ColoringJob:
    fields = {
        "version_id": 1,
        "run": 2,
        "order_number": "1270",
        "image_id": 3,
        "source": "42/121/image_1.jpg",
        "target": TARGET,
        "asked_at": now(),
        "options": ColoringOptions(),
    }
    return ColoringJob(**(fields | changes))


async def test_a_marker_returns_the_provider_job_of_its_run_only(markers: RunMarkers, tmp_path: Path):
    assert await markers.provider_job_id(job()) is None
    await markers.store(job(), "rp-1")
    assert await markers.provider_job_id(job()) == "rp-1"
    assert await markers.provider_job_id(job(run=3)) is None
    assert [path.name for path in (tmp_path / TARGET).parent.iterdir()] == [".image_1.png.run"]
    assert [await markers.is_outdated(job(run=run)) for run in (1, 2, 3)] == [True, False, False]
    await markers.delete(job())
    await markers.delete(job())
    assert await markers.provider_job_id(job()) is None
    assert list((tmp_path / TARGET).parent.iterdir()) == []


async def test_a_marker_of_another_version_is_ignored(markers: RunMarkers, tmp_path: Path):
    await markers.store(job(), "rp-1")
    other = job(version_id=7, run=1)
    assert await markers.provider_job_id(job(version_id=7)) is None
    assert not await markers.is_outdated(other)
    (tmp_path / TARGET).with_name(".image_1.png.run").write_text('{"run": 2, "provider_job_id": "rp-0"}')
    assert await markers.provider_job_id(job(version_id=7)) == "rp-0"  # of before it named its row


async def test_a_file_is_a_result_only_if_stored_after_the_request(markers: RunMarkers, tmp_path: Path):
    asked = job()
    assert await markers.stored_result(asked) is None
    (tmp_path / TARGET).parent.mkdir(parents=True)
    (tmp_path / TARGET).write_bytes(b"a page")
    os.utime(tmp_path / TARGET, ((asked.asked_at + timedelta(seconds=5)).timestamp(),) * 2)
    assert await markers.stored_result(asked) == b"a page"
    assert await markers.stored_result(job(asked_at=now() + timedelta(minutes=1))) is None
    assert await markers.stored_result(job(asked_at=None)) is None  # a job of before there were such times


async def test_unreadable_and_unwritable_markers_are_ignored(markers: RunMarkers, tmp_path: Path):
    await markers.store(job(target="../outside.png"), "rp-1")
    assert await markers.provider_job_id(job(target="../outside.png")) is None
    assert await markers.stored_result(job(target="../outside.png")) is None
    await markers.store(job(), "rp-1")
    note = (tmp_path / TARGET).with_name(".image_1.png.run")
    note.write_text("garbage")
    assert await markers.provider_job_id(job()) is None
    assert not await markers.is_outdated(job())


async def test_an_unavailable_storage_is_not_an_absent_marker(place: Place):
    markers = RunMarkers(storage_of(place))
    await markers.store(job(), "rp-1")
    await place.leave()
    for question in (markers.provider_job_id, markers.is_outdated, markers.stored_result, markers.newest):
        with pytest.raises(StorageUnavailableError):
            await question(job())
    await markers.store(job(run=3), "rp-3")
    await markers.delete(job())
    await place.come_back()
    assert await markers.provider_job_id(job()) == "rp-1"
