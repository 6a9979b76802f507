"""The files of edited photos: those that are replaced, left by a killed process, lost or erased."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from pastelka_common.storage import FolderStorage
from pastelka_orders.database import Database
from pastelka_orders.handlers import stored_files
from pastelka_orders.handlers.photo_edits import discard_unused
from pastelka_orders.repository.stored_files import StoredFile
from services.orders.tests.api.test_photo_edits import (
    EDIT,
    IMAGE,
    NONE,
    ORIGINAL,
    edit,
    ordered,
    path_of,
    stored,
)
from services.orders.tests.api_client import jpeg


class Killed(BaseException):
    """The process ends here."""


async def age(sql: asyncpg.Connection) -> None:
    await sql.execute("UPDATE unused_files SET unused_since = unused_since - $1::interval", timedelta(days=2))


async def test_replaced_files_are_deleted_once_no_work_reads_them(
    api: Any, worker: Any, sql: asyncpg.Connection, database: Database
) -> None:
    await ordered(api)
    plain = api.files()
    await edit(api, {"quarter_turns": 1})
    edited = api.files()
    version = await api.post("/images/1/generate-coloring")
    await edit(api, {"quarter_turns": 0})
    assert await discard_unused(database, api.stored) == 0
    await age(sql)
    assert await discard_unused(database, api.stored) == 0  # a page is being made from it
    assert api.files() == edited
    await worker.end("coloring", version["id"], "error")
    assert await discard_unused(database, api.stored) == 1
    assert api.files() == plain
    assert await discard_unused(database, api.stored) == 0
    # The same edit again has its file again.
    await edit(api, {"quarter_turns": 1})
    assert api.files() == edited
    await age(sql)
    assert await discard_unused(database, api.stored) == 0


async def test_another_photo_has_no_edit_and_the_edited_file_is_deleted(
    api: Any, sql: asyncpg.Connection, database: Database
) -> None:
    await ordered(api)
    await edit(api, {"quarter_turns": 1})
    edited = path_of((await api.get(IMAGE))["url"])
    response = await api.http.put("/images/1/photo", content=jpeg(2, width=500, height=300))
    assert response.status_code == 200
    shown = await api.get(IMAGE)
    assert ("photo_edit" in shown, "original_url" in shown) == (False, False)
    assert (await stored(api, shown["url"])).size == (500, 300)
    assert (await api.get(EDIT))["edit"] == NONE
    await age(sql)
    assert await discard_unused(database, api.stored) == 1
    assert edited not in api.files()


async def test_a_deleted_photo_takes_its_edited_file_with_it(api: Any) -> None:
    await ordered(api, 2)
    await edit(api, {"quarter_turns": 1})
    before = api.files()
    assert (await api.http.delete("/images/1/photo")).status_code == 204
    assert api.files() == [path for path in before if "image_1" not in path]


async def test_what_a_killed_request_left_is_deleted(
    api: Any, sql: asyncpg.Connection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ordered(api)
    plain = api.files()
    real = FolderStorage.write

    async def killed(self: FolderStorage, path: str, content: bytes) -> None:
        await real(self, path, content)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(FolderStorage, "write", killed)
        with pytest.raises(Killed):
            await api.http.patch(EDIT, json={"quarter_turns": 1})
    assert (await api.get(EDIT))["edit"] == NONE
    assert api.files() != plain
    await age(sql)
    assert await discard_unused(database, api.stored) == 1
    assert api.files() == plain


async def test_an_edit_while_its_old_file_is_being_deleted_gets_another_name(
    api: Any, sql: asyncpg.Connection, database: Database
) -> None:
    await ordered(api)
    await edit(api, {"quarter_turns": 1})
    first = (await api.get(IMAGE))["url"]
    await edit(api, {"quarter_turns": 0})
    await sql.execute("UPDATE unused_files SET is_deleting = true")
    await edit(api, {"quarter_turns": 1})
    second = (await api.get(IMAGE))["url"]
    assert second != first
    assert await discard_unused(database, api.stored) == 1
    assert path_of(second) in api.files()
    assert path_of(first) not in api.files()


async def test_the_edited_photo_is_erased_with_the_order(api: Any, sql: asyncpg.Connection) -> None:
    await ordered(api)
    await edit(api, {"quarter_turns": 1})
    await edit(api, {"quarter_turns": 2})
    assert (await api.http.delete("/orders/M1000")).status_code == 204
    assert api.files() == []
    assert await sql.fetchval("SELECT count(*) FROM unused_files") == 0


async def test_an_edit_of_an_order_that_is_deleted_meanwhile_leaves_no_row(
    api: Any, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ordered(api)
    # Nothing else of it says that a file may be written.
    await sql.execute("UPDATE orders SET updated_at = now() - interval '30 days'")
    await sql.execute("UPDATE images SET downloaded_at = now() - interval '30 days'")
    real = FolderStorage.write

    async def deleting(self: FolderStorage, path: str, content: bytes) -> None:
        await api.http.delete("/orders/M1000")
        await real(self, path, content)

    with monkeypatch.context() as patch:
        patch.setattr(FolderStorage, "write", deleting)
        assert (await edit(api, {"quarter_turns": 1}, 404))["code"] == "image_not_found"
    # The erasure looks again for what was written late.
    assert await sql.fetchval("SELECT is_watched FROM erasures")


async def test_a_lost_file_is_reported_and_made_again_by_saving(
    api: Any, sql: asyncpg.Connection, database: Database
) -> None:
    await ordered(api)
    await edit(api, {"quarter_turns": 1})
    before = await api.get(IMAGE)
    file = StoredFile("edited_photo", 1, path_of(before["url"]), is_noted=False)
    await api.stored.remove(file.path)
    assert await database.write(lambda c: stored_files.mark_missing(c, file))
    assert (await api.get(IMAGE))["error"]["code"] == "edited_photo_missing"
    assert await database.write(lambda c: stored_files.mark_found(c, file))
    assert await api.get(IMAGE) == before
    await database.write(lambda c: stored_files.mark_missing(c, file))
    await edit(api, {"quarter_turns": 1})
    assert await api.get(IMAGE) == before
    assert file.path in api.files()
    # Of another edit, the file is not missed.
    await edit(api, {"quarter_turns": 2})
    assert not await database.write(lambda c: stored_files.mark_missing(c, file))


async def test_a_photo_whose_original_is_lost_is_not_edited(api: Any) -> None:
    await ordered(api)
    await api.stored.remove(ORIGINAL)
    assert (await edit(api, {"quarter_turns": 1}, 409))["code"] == "file_missing"
