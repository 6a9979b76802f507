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
from tests.restore.files import BucketFiles, Files, FolderFiles
from tests.restore.procedure import Backup, back_up, record, restore
from tests.system import System, running_system

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
async def system(tmp_path: Path, files: Files) -> AsyncIterator[System]:
    """The whole system, with a reconciler that runs often."""
    runpod = FakeRunpod(FakeRunpodSettings(queue_seconds=0.5, run_seconds=0.5))
    env = {"RECONCILE_INTERVAL": "1", "RECONCILE_GRACE": "2", "RETENTION_INTERVAL": "1"}
    if isinstance(files, BucketFiles):
        await files.delete_live()  # the server belongs to the session
        env |= files.environment()
    async with running_system(tmp_path / "stack", runpod, FakeVectorizer(duration=0.2), env=env) as running:
        yield running


@pytest.fixture
def backup(tmp_path: Path, files: Files) -> Backup:
    """Location of the backup."""
    return Backup(tmp_path / "backup", files)


async def versions(system: System, number: str) -> list[dict[str, Any]]:
    order = await system.get(f"/orders/{number}")
    images = [image for item in order["line_items"] for image in item["images"]]
    return [
        version for image in images for kind in ("coloring", "svg") for version in image["versions"][kind]
    ]


async def until_completed(system: System, number: str, count: int = 2 * IMAGES) -> None:
    async def done() -> bool:
        found = await versions(system, number)
        return len(found) == count and {v["status"] for v in found} == {"completed"}

    await until(done, 120)


async def until_at_work(system: System, number: str) -> None:
    async def at_work() -> bool:
        found = await versions(system, number)
        return len(found) == IMAGES and {v["status"] for v in found} <= AT_WORK

    await until(at_work, 60)


def path_of(version: dict[str, Any]) -> str:
    return str(version["url"].split("/static/images/")[1])


async def delete_everything(system: System, files: Files) -> None:
    """Kill the services, then delete database, broker and files."""
    for service in system.stack.services.values():
        await service.kill()
    for name in SERVERS:
        await system.stack.servers[name].kill()
    shutil.rmtree(system.stack.postgres.folder / "data")
    shutil.rmtree(system.stack.nats.folder / "data")
    await files.delete_live()


async def new_servers(system: System) -> None:
    """An empty database and an empty broker."""
    await asyncio.to_thread(system.stack.postgres.prepare)
    for name in SERVERS:
        await system.stack.servers[name].start()


async def start_services(system: System) -> None:
    for service in system.stack.services.values():
        await service.start()


async def is_gone(system: System, number: str) -> bool:
    async with system.http.get(f"{system.stack.api_url}/orders/{number}") as response:
        return bool(response.status == 404)


async def erase(system: System, number: str) -> None:
    async with system.http.delete(f"{system.stack.api_url}/orders/{number}") as response:
        assert response.status == 204
    await until(lambda: is_gone(system, number), 30)


@pytest.mark.timeout(400)
async def test_everything_ends_consistent_after_a_restore(system: System, backup: Backup) -> None:
    files = backup.files
    done = await system.order(IMAGES, process="svg", first_seed=1)
    wrong = await system.order(1, process="svg", first_seed=20)
    await until_completed(system, done["order_number"])
    await until_completed(system, wrong["order_number"], 2)
    # In progress at the provider during the backup and after it.
    system.runpod.settings.queue_seconds, system.runpod.settings.run_seconds = 15.0, 0.5
    busy = await system.order(IMAGES, process="svg", first_seed=40)
    await until_at_work(system, busy["order_number"])
    await back_up(system.stack, backup)
    # Changes after the backup are lost; what was erased must stay erased.
    lost = await system.order(1, first_seed=80)
    await erase(system, wrong["order_number"])
    await record(system.stack, backup)
    submits, requests = system.runpod.stats()["submits"], system.vectorizer.stats()["requests"]
    await delete_everything(system, files)
    # The storage's backup itself lacks a file.
    pages = [path async for path in files.kept.files(str(done["id"]))]
    await files.kept.remove(next(path for path in pages if path.endswith("coloring/v1/image_1.png")))

    await new_servers(system)
    found = await restore(system.stack, backup)
    assert found["erased_again"] == [wrong["order_number"]]
    assert [(one["kind"], one["reason"]) for one in found["files"]] == [("coloring", "file_missing")]
    await start_services(system)

    await until_completed(system, busy["order_number"])
    await until(lambda: is_gone(system, wrong["order_number"]), 60)
    assert not await files.live.prefix_exists(str(wrong["id"]))
    assert await is_gone(system, lost["order_number"])
    # Provider jobs are continued; each SVG is made once, since no request was in progress.
    assert system.runpod.stats()["submits"] == submits
    assert system.vectorizer.stats()["requests"] == requests + IMAGES
    await the_missing_page_is_made_again(system, done["order_number"])
    await rows_and_files_agree(system, files.live)
    # No id or order number issued before is issued again.
    after = await system.order(1, first_seed=90)
    assert after["id"] > lost["id"] + 1000
    assert int(after["order_number"][1:]) > int(lost["order_number"][1:])


@pytest.mark.timeout(400)
async def test_a_restored_database_is_reconciled_with_newer_files(system: System, backup: Backup) -> None:
    """Only the database is lost; files and the broker's store are current, and newer than the rows."""
    files = backup.files
    system.runpod.settings.queue_seconds = system.runpod.settings.run_seconds = 3.0
    order = await system.order(IMAGES, process="svg", first_seed=1)
    await until_at_work(system, order["order_number"])
    await back_up(system.stack, backup)
    await until_completed(system, order["order_number"])
    lost = await system.order(1, process="coloring", first_seed=50)
    await until_completed(system, lost["order_number"], 1)
    submits, requests = system.runpod.stats()["submits"], system.vectorizer.stats()["requests"]
    for service in system.stack.services.values():
        await service.kill()
    await system.stack.servers["postgres"].kill()
    shutil.rmtree(system.stack.postgres.folder / "data")
    await asyncio.to_thread(system.stack.postgres.prepare)
    await system.stack.servers["postgres"].start()

    found = await restore(system.stack, backup, files=False)
    assert (found["files"], found["unowned_folders"]) == ([], [lost["id"]])
    await start_services(system)
    await until_completed(system, order["order_number"])
    # The pages were stored after the backup and are found. The backup lacks the rows of their SVGs: made
    # again.
    assert system.runpod.stats()["submits"] == submits
    assert system.vectorizer.stats()["requests"] == requests + IMAGES
    await files.live.erase(str(lost["id"]), [])
    await rows_and_files_agree(system, files.live)


async def the_missing_page_is_made_again(system: System, number: str) -> None:
    (missing,) = [version for version in await versions(system, number) if version["status"] != "completed"]
    assert missing["error"]["code"] == "file_missing"
    system.runpod.settings.queue_seconds = 0.5
    await system.post(f"/coloring-versions/{missing['id']}/retry")
    await until_completed(system, number)


async def rows_and_files_agree(system: System, storage: Storage) -> None:
    orders = (await system.get("/orders"))["items"]
    for order in orders:
        for version in await versions(system, order["order_number"]):
            assert await storage.size(path_of(version))
    assert {int(name) for name in await storage.folders()} == {order["id"] for order in orders}
    connection = await asyncpg.connect(system.stack.postgres.url)
    try:

        async def published() -> bool:
            return await connection.fetchval("SELECT count(*) FROM outbox") == 0

        await until(published, 30)
        assert await connection.fetchval("SELECT count(*) FROM erasures WHERE erased_at IS NULL") == 0
    finally:
        await connection.close()
