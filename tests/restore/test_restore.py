"""A system under load is backed up, continues, loses all its data, and is restored from the backup."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from pastelka_common.storage import Storage
from pastelka_common.testing.fake_runpod import FakeRunpod, FakeRunpodSettings
from pastelka_common.testing.fake_vectorizer import FakeVectorizer
from pastelka_common.testing.waiting import until
from tests.line import Line, running_line
from tests.restore.files import BucketFiles, Files, FolderFiles
from tests.restore.procedure import Backup, back_up, record, restore

IMAGES = 4
SERVERS = ("postgres", "nats")
AT_WORK = {"runpod_submitted", "runpod_queued", "runpod_processing"}


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.server)])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    """The files of the system, and their copy."""
    if request.param == "folder":
        return FolderFiles(tmp_path / "stack" / "storage" / "images", tmp_path / "backup" / "files")
    return BucketFiles(request.getfixturevalue("bucket_server"))


@pytest_asyncio.fixture(loop_scope="session")
async def line(tmp_path: Path, files: Files) -> AsyncIterator[Line]:
    """The whole system, with a reconciler that runs often."""
    runpod = FakeRunpod(FakeRunpodSettings(queue_seconds=0.5, run_seconds=0.5))
    env = {"RECONCILE_INTERVAL": "1", "RECONCILE_GRACE": "2", "RETENTION_INTERVAL": "1"}
    if isinstance(files, BucketFiles):
        await files.delete_live()  # the server belongs to the session
        env |= files.environment()
    async with running_line(tmp_path / "stack", runpod, FakeVectorizer(duration=0.2), env=env) as running:
        yield running


@pytest.fixture
def backup(tmp_path: Path, files: Files) -> Backup:
    """Location of the backup."""
    return Backup(tmp_path / "backup", files)


async def versions(line: Line, number: str) -> list[dict[str, Any]]:
    order = await line.get(f"/orders/{number}")
    images = [image for item in order["line_items"] for image in item["images"]]
    return [
        version for image in images for kind in ("coloring", "svg") for version in image["versions"][kind]
    ]


async def until_completed(line: Line, number: str, count: int = 2 * IMAGES) -> None:
    async def done() -> bool:
        found = await versions(line, number)
        return len(found) == count and {v["status"] for v in found} == {"completed"}

    await until(done, 120)


async def until_at_work(line: Line, number: str) -> None:
    async def at_work() -> bool:
        found = await versions(line, number)
        return len(found) == IMAGES and {v["status"] for v in found} <= AT_WORK

    await until(at_work, 60)


def path_of(version: dict[str, Any]) -> str:
    return str(version["url"].split("/static/images/")[1])


async def delete_everything(line: Line, files: Files) -> None:
    """Kill the services, then delete database, broker and files."""
    for service in line.stack.services.values():
        await service.kill()
    for name in SERVERS:
        await line.stack.servers[name].kill()
    shutil.rmtree(line.stack.postgres.folder / "data")
    shutil.rmtree(line.stack.nats.folder / "data")
    await files.delete_live()


async def new_servers(line: Line) -> None:
    """An empty database and an empty broker."""
    await asyncio.to_thread(line.stack.postgres.prepare)
    for name in SERVERS:
        await line.stack.servers[name].start()


async def start_services(line: Line) -> None:
    for service in line.stack.services.values():
        await service.start()


async def is_gone(line: Line, number: str) -> bool:
    async with line.http.get(f"{line.stack.api_url}/orders/{number}") as response:
        return bool(response.status == 404)


async def erase(line: Line, number: str) -> None:
    async with line.http.delete(f"{line.stack.api_url}/orders/{number}") as response:
        assert response.status == 204
    await until(lambda: is_gone(line, number), 30)


@pytest.mark.timeout(400)
async def test_everything_ends_consistent_after_a_restore(line: Line, backup: Backup) -> None:
    files = backup.files
    done = await line.order(IMAGES, process="svg", first_seed=1)
    wrong = await line.order(1, process="svg", first_seed=20)
    await until_completed(line, done["order_number"])
    await until_completed(line, wrong["order_number"], 2)
    # In progress at the provider during the backup and after it.
    line.runpod.settings.queue_seconds, line.runpod.settings.run_seconds = 15.0, 0.5
    busy = await line.order(IMAGES, process="svg", first_seed=40)
    await until_at_work(line, busy["order_number"])
    await back_up(line.stack, backup)
    # Changes after the backup are lost; what was erased must stay erased.
    lost = await line.order(1, first_seed=80)
    await erase(line, wrong["order_number"])
    await record(line.stack, backup)
    submits, requests = line.runpod.stats()["submits"], line.vectorizer.stats()["requests"]
    await delete_everything(line, files)
    # The storage's backup itself lacks a file.
    pages = [path async for path in files.kept.files(str(done["id"]))]
    await files.kept.remove(next(path for path in pages if path.endswith("coloring/v1/image_1.png")))

    await new_servers(line)
    found = await restore(line.stack, backup)
    assert found["erased_again"] == [wrong["order_number"]]
    assert [(one["kind"], one["reason"]) for one in found["files"]] == [("coloring", "file_missing")]
    await start_services(line)

    await until_completed(line, busy["order_number"])
    await until(lambda: is_gone(line, wrong["order_number"]), 60)
    assert not await files.live.prefix_exists(str(wrong["id"]))
    assert await is_gone(line, lost["order_number"])
    # Provider jobs are continued; each SVG is made once, since no request was in progress.
    assert line.runpod.stats()["submits"] == submits
    assert line.vectorizer.stats()["requests"] == requests + IMAGES
    await the_missing_page_is_made_again(line, done["order_number"])
    await rows_and_files_agree(line, files.live)
    # No id or order number issued before is issued again.
    after = await line.order(1, first_seed=90)
    assert after["id"] > lost["id"] + 1000
    assert int(after["order_number"][1:]) > int(lost["order_number"][1:])


@pytest.mark.timeout(400)
async def test_a_restored_database_is_reconciled_with_newer_files(line: Line, backup: Backup) -> None:
    """Only the database is lost; files and the broker's store are current, and newer than the rows."""
    files = backup.files
    line.runpod.settings.queue_seconds = line.runpod.settings.run_seconds = 3.0
    order = await line.order(IMAGES, process="svg", first_seed=1)
    await until_at_work(line, order["order_number"])
    await back_up(line.stack, backup)
    await until_completed(line, order["order_number"])
    lost = await line.order(1, process="coloring", first_seed=50)
    await until_completed(line, lost["order_number"], 1)
    submits, requests = line.runpod.stats()["submits"], line.vectorizer.stats()["requests"]
    for service in line.stack.services.values():
        await service.kill()
    await line.stack.servers["postgres"].kill()
    shutil.rmtree(line.stack.postgres.folder / "data")
    await asyncio.to_thread(line.stack.postgres.prepare)
    await line.stack.servers["postgres"].start()

    found = await restore(line.stack, backup, files=False)
    assert (found["files"], found["unowned_folders"]) == ([], [lost["id"]])
    await start_services(line)
    await until_completed(line, order["order_number"])
    # The pages were stored after the backup and are found. The backup lacks the rows of their SVGs: made
    # again.
    assert line.runpod.stats()["submits"] == submits
    assert line.vectorizer.stats()["requests"] == requests + IMAGES
    await files.live.erase(str(lost["id"]), [])
    await rows_and_files_agree(line, files.live)


async def the_missing_page_is_made_again(line: Line, number: str) -> None:
    (missing,) = [version for version in await versions(line, number) if version["status"] != "completed"]
    assert missing["error"]["code"] == "file_missing"
    line.runpod.settings.queue_seconds = 0.5
    await line.post(f"/coloring-versions/{missing['id']}/retry")
    await until_completed(line, number)


async def rows_and_files_agree(line: Line, storage: Storage) -> None:
    orders = (await line.get("/orders"))["items"]
    for order in orders:
        for version in await versions(line, order["order_number"]):
            assert await storage.size(path_of(version))
    assert {int(name) for name in await storage.folders()} == {order["id"] for order in orders}
    connection = await asyncpg.connect(line.stack.postgres.url)
    try:

        async def published() -> bool:
            return await connection.fetchval("SELECT count(*) FROM outbox") == 0

        await until(published, 30)
        assert await connection.fetchval("SELECT count(*) FROM erasures WHERE erased_at IS NULL") == 0
    finally:
        await connection.close()
