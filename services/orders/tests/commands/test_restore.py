"""``backup-record`` and ``after-restore``: a database that went back to a time before."""

import json
from collections.abc import AsyncIterator, Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import asyncpg
import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.js.errors import NotFoundError
from structlog.testing import capture_logs

from pastelka_common.messaging.topology import JOBS, ensure_streams
from pastelka_common.servers import ServerProcess, free_port
from pastelka_orders.commands import parser, perform
from pastelka_orders.settings import OrdersSettings
from services.orders.tests.command_line import Command, Result


@pytest_asyncio.fixture(loop_scope="session")
async def nc(broker: ServerProcess) -> AsyncIterator[Client]:
    """A connection to it, with the streams."""
    connection = await nats.connect(broker.url)
    await ensure_streams(connection)
    yield connection
    await connection.close()


@pytest.fixture
def command(
    broker: ServerProcess,
    orders_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """``await command("backup-record")``: code, standard output, standard error."""
    monkeypatch.setenv("NATS_URL", broker.url)
    monkeypatch.setenv("DATABASE_URL", orders_url)
    monkeypatch.setenv("STORAGE_PATH", str(tmp_path / "images"))

    async def run(*arguments: str) -> Result:
        capsys.readouterr()
        with capture_logs():
            code = await perform(parser().parse_args(arguments))
        return Result(code, *capsys.readouterr())

    return run


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's own connections do not count."""

    async def none(_: Any) -> int:
        return 0

    monkeypatch.setattr("pastelka_orders.repository.restore.count_other_connections", none)


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[..., list[str]]:
    """``recorded(erasures=[...])``: arguments that name a file with such a record."""

    def write(**values: Any) -> list[str]:
        record = {
            "made_at": "2026-11-23T08:00:00Z",
            "erasures": [],
            "suppressed": [],
            "ids": {},
            "users": [],
            "tokens": [],
            **values,
        }
        (tmp_path / "record.json").write_text(json.dumps(record))
        return ["--record", str(tmp_path / "record.json")]

    return write


def erased(order_id: int, number: str) -> dict[str, Any]:
    asked = {"reason": "customer", "asked_by": "jana", "asked_at": "2026-11-23T07:00:00Z"}
    return {"order_id": order_id, "order_number": number, **asked}


async def settled(command: Command, *arguments: str) -> dict[str, Any]:
    code, out, err = await command("after-restore", "--json", *arguments)
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


async def test_the_record_lists_erased_orders_without_customer_names(
    api: Any, command: Command, people: Any, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    await api.order(2, customer_name="Ludmila Vopičková")
    await api.order()
    await api.http.delete("/orders/M1001")
    await sql.execute("INSERT INTO deleted_shop_orders (shopify_id, is_final) VALUES (77, true), (78, false)")
    await people.user("jana", "operator")
    await people.token("read")
    file = tmp_path / "record.json"
    assert await command("backup-record", "--out", str(file)) == (0, "", "")
    record = json.loads(file.read_text())
    assert [(one["order_id"], one["order_number"], one["reason"]) for one in record["erasures"]] == [
        (2, "M1001", "operator")
    ]
    assert (record["suppressed"], record["users"], record["tokens"]) == ([77], ["jana"], [1])
    assert record["ids"] == {
        "orders": 2,
        "line_items": 2,
        "images": 3,
        "coloring_versions": 0,
        "svg_versions": 0,
        "manual_order_number_seq": 1001,
    }
    assert "Vopi" not in file.read_text()
    assert not file.with_name(".record.json.tmp").exists()


async def test_the_command_is_rejected_while_services_are_connected(
    command: Command, sql: asyncpg.Connection, nc: Client, recorded: Any, tmp_path: Path
) -> None:
    (tmp_path / "images").mkdir()
    code, _, err = await command("after-restore", *recorded())
    assert code == 1
    assert "1 other connections to the database are open: stop every service first" in err
    await nc.jetstream().stream_info(JOBS)


@pytest.mark.parametrize("content", ["", "{}", '{"format": 2}'])
async def test_a_file_that_is_not_a_record_is_rejected(
    command: Command, tmp_path: Path, content: str
) -> None:
    (tmp_path / "x.json").write_text(content)
    code, _, err = await command("after-restore", "--record", str(tmp_path / "x.json"))
    assert code == 1
    assert "is not a record of `backup-record`" in err


@pytest.mark.usefixtures("alone", "nc")
async def test_a_record_is_read_from_standard_input(
    api: Any, command: Command, recorded: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await api.order()
    recorded(ids={"orders": 70})
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO((tmp_path / "record.json").read_bytes())))
    found = await settled(command, "--record", "-", "--dry-run")
    assert found["ids"]["orders"] == 10_070
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"")))
    code, _, err = await command("after-restore", "--record", "-")
    assert code == 1
    assert "Standard input is not a record of `backup-record`" in err


@pytest.mark.usefixtures("alone")
async def test_orders_erased_since_the_backup_are_erased_again(
    api: Any, command: Command, nc: Client, recorded: Any, sql: asyncpg.Connection
) -> None:
    for _ in range(3):
        await api.order(process="coloring")
    record = recorded(erasures=[erased(2, "M1001"), erased(9, "M1008")], suppressed=[77])
    before = await settled(command, "--dry-run", *record)
    assert await sql.fetchval("SELECT count(*) FROM erasures") == 0
    await nc.jetstream().stream_info(JOBS)
    found = await settled(command, *record)
    assert found == {**before, "dry_run": False}
    assert (found["erased_again"], found["files_of_erased"]) == (["M1001"], ["M1008"])
    rows = await sql.fetch(
        "SELECT order_id, deleted_at IS NULL AS is_here, erased_at, is_watched FROM erasures"
    )
    assert [tuple(row) for row in rows] == [(2, True, None, True), (9, False, None, True)]
    assert await sql.fetchval("SELECT error_code FROM coloring_versions WHERE id = 2") == "cancelled"
    assert await sql.fetchval("SELECT is_final FROM deleted_shop_orders WHERE shopify_id = 77")
    with pytest.raises(NotFoundError):
        await nc.jetstream().stream_info(JOBS)
    assert (await settled(command, *record))["erased_again"] == []


@pytest.mark.usefixtures("alone", "nc")
async def test_no_id_or_order_number_is_reused(api: Any, command: Command, recorded: Any) -> None:
    await api.order()
    (api.storage / "4711" / "5").mkdir(parents=True)
    found = await settled(command, *recorded(ids={"images": 800, "manual_order_number_seq": 1203}))
    assert found["unowned_folders"] == [4711]
    order = await api.order()
    assert (order["id"], order["order_number"]) == (14712, "M1304")
    assert order["line_items"][0]["images"][0]["id"] == 10801


@pytest.mark.usefixtures("alone", "nc")
async def test_the_folders_and_files_of_a_bucket_are_checked_too(
    serving: Any,
    in_bucket: OrdersSettings,
    command: Command,
    recorded: Any,
    worker: Any,
    sql: asyncpg.Connection,
) -> None:
    async with serving(in_bucket) as api:
        await api.order(process="coloring")
        await api.order(process="coloring")
        await worker.end("coloring", 2)
        await api.stored.write("4711/5/image_1.jpg", b"x")
        await api.stored.write("old/1.jpg", b"of a system of before")
        note = {"run": 3, "provider_job_id": "rp-1", "version_id": 1}
        await api.stored.write("1/1/coloring/v1/.image_1.png.run", json.dumps(note).encode())
        found = await settled(command, *recorded(erasures=[erased(9, "M1008")]))
        assert (found["unowned_folders"], found["files_of_erased"]) == ([4711], ["M1008"])
        assert found["runs"] == ["coloring 1 run 1 -> 3"]
        assert [one["about"]["path"] for one in found["files"]] == ["2/2/coloring/v1/image_1.png"]
        assert (await api.order())["id"] == 14712
        await api.stored.write("20261123/1.jpg", b"x")
        code, _, err = await command("after-restore", *recorded())
        assert code == 1
        assert "The storage has a folder 20261123, far above the highest order id (14712)." in err


async def test_an_unavailable_bucket_is_reported_in_one_line(
    in_bucket: OrdersSettings, command: Command, recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert in_bucket.bucket
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    code, _, err = await command("after-restore", *recorded())
    assert code == 1
    assert err.startswith("pastelka_orders: The storage cannot be read: ")


@pytest.mark.usefixtures("alone")
async def test_a_foreign_storage_is_rejected_before_any_change(
    api: Any, command: Command, nc: Client, recorded: Any
) -> None:
    await api.order()
    (api.storage / "20261123").mkdir()
    code, _, err = await command("after-restore", *recorded())
    assert code == 1
    assert "The storage has a folder 20261123, far above the highest order id (1)." in err
    await nc.jetstream().stream_info(JOBS)
    assert (await api.order())["id"] == 2


@pytest.mark.usefixtures("alone", "nc")
async def test_users_and_tokens_revoked_since_the_backup_stay_revoked(
    locked_api: Any, command: Command, recorded: Any, people: Any
) -> None:
    jana = await people.signed_in("operator", "jana")
    await people.user("petr", "viewer")
    good, revoked = await people.token("read", "good"), await people.token("read", "revoked")
    locked_api.storage.mkdir(exist_ok=True)
    found = await settled(command, *recorded(users=["jana"], tokens=[1]))
    assert (found["sessions_ended"], found["users_disabled"], found["tokens_revoked"]) == (
        1,
        ["petr"],
        ["revoked"],
    )
    statuses = [
        (await locked_api.http.get("/orders", headers=headers)).status_code
        for headers in (jana, revoked, good)
    ]
    assert statuses == [401, 401, 200]


def note(storage: Path, version_id: int, run: int, job: str) -> None:
    folder = storage / str(version_id) / str(version_id) / "coloring" / "v1"
    folder.mkdir(parents=True, exist_ok=True)
    content = {"run": run, "provider_job_id": job, "version_id": version_id}
    (folder / ".image_1.png.run").write_text(json.dumps(content))


@pytest.mark.usefixtures("alone", "nc")
async def test_a_paid_run_newer_than_the_backup_is_continued(
    api: Any, command: Command, worker: Any, sql: asyncpg.Connection
) -> None:
    for _ in range(3):
        await api.order(process="coloring")
    await worker.end("coloring", 2, "error")
    note(api.storage, 1, 3, "rp-1")
    note(api.storage, 2, 2, "rp-2")
    found = await settled(command, "--no-record")
    assert found["runs"] == ["coloring 1 run 1 -> 3", "coloring 2 run 1 -> 2"]
    rows = await sql.fetch("SELECT run, status::text, provider_job_id FROM coloring_versions ORDER BY id")
    assert [tuple(row) for row in rows] == [
        (3, "pending", "rp-1"),
        (1, "error", None),
        (1, "pending", None),
    ]
    # A retry continues with what is paid for: the marker belongs to run 2.
    await api.post("/coloring-versions/2/retry")
    assert await sql.fetchval("SELECT run FROM coloring_versions WHERE id = 2") == 2
    assert (await settled(command, "--no-record"))["runs"] == []


@pytest.mark.usefixtures("alone", "nc")
async def test_every_file_is_checked_even_if_many_are_missing(
    api: Any, command: Command, worker: Any, sql: asyncpg.Connection
) -> None:
    await api.order(photos=20, process="coloring")
    for version_id in range(1, 21):
        await worker.end("coloring", version_id)
    code, out, _ = await command("after-restore", "--no-record")
    assert code == 0
    assert "files missing: 20 (coloring 1/1/coloring/v1/image_1.png, " in out
    assert (
        await sql.fetchval("SELECT count(*) FROM coloring_versions WHERE error_code = 'file_missing'") == 20
    )
