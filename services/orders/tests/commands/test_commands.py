"""The operator's command line, as a process against a real nats-server and PostgreSQL."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client

from pastelka_common.contracts.messages import DeadLetter, Failure, now
from pastelka_common.messaging.topology import DEAD, JOBS, ensure_streams
from pastelka_common.servers import ServerProcess, free_port
from pastelka_common.testing.forkserver import run_forked
from services.orders.tests.command_line import Command, Result


@pytest_asyncio.fixture(loop_scope="session")
async def nc(broker: ServerProcess) -> AsyncIterator[Client]:
    """A connection to it, with the streams."""
    connection = await nats.connect(broker.url)
    await ensure_streams(connection)
    yield connection
    await connection.close()


@pytest.fixture
def command(broker: ServerProcess, orders_url: str, tmp_path: Path) -> Command:
    """``await command("dead-letters", "list")``; ``env`` replaces settings, ``None`` removes one."""

    async def run(*arguments: str, **env: str | None) -> Result:
        settings: dict[str, str | None] = {
            **os.environ,
            "NATS_URL": broker.url,
            "DATABASE_URL": orders_url,
            "STORAGE_PATH": str(tmp_path / "images"),
            "RECONCILE_GRACE": "0",
            **env,
        }
        given = {name: value for name, value in settings.items() if value is not None}
        return Result(*await run_forked("pastelka_orders", *arguments, env=given))

    return run


async def give_up(nc: Client, subject: str, payload: str, **changes: Any) -> int:
    """Write a dead letter; returns its number."""
    values = {
        "original_subject": subject,
        "original_payload": payload,
        "original_headers": {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"},
        "failure": Failure(code="provider_failed", message="It failed."),
        "attempt": 3,
        "at": now(),
        "trace_id": "ab" * 16,
        **changes,
    }
    letter = DeadLetter.model_validate(values)
    return (await nc.jetstream().publish(letter.subject, letter.model_dump_json().encode())).seq


async def failed_coloring(api: Any, worker: Any, sql: asyncpg.Connection) -> tuple[int, str]:
    """A version in error, and the job that was given up on."""
    await api.order()
    version = await api.post("/images/1/generate-coloring")
    await worker.end("coloring", version["id"], "error")
    payload = await sql.fetchval("SELECT payload FROM outbox WHERE subject LIKE 'jobs.coloring.%'")
    return version["id"], payload.decode()


async def test_dead_letters_are_listed_newest_first(command: Command, nc: Client) -> None:
    assert (await command("dead-letters", "list")).out == "0 of 0 dead letters\n"
    for number in (1, 2, 3):
        await give_up(nc, f"jobs.coloring.{number}", '{"order_number": "1270"}')
    found = await command("dead-letters", "list")
    assert (found.code, found.err) == (0, "")
    *lines, last = found.out.splitlines()
    assert [line.split()[2] for line in lines] == [f"jobs.coloring.{n}" for n in (3, 2, 1)]
    assert all("provider_failed  It failed.  order 1270" in line for line in lines)
    assert all(line.split()[1].endswith("s") for line in lines)
    assert last == "3 of 3 dead letters"
    document = json.loads((await command("dead-letters", "list", "--json", "--limit", "2")).out)
    assert document["count"] == 3
    assert [letter["sequence"] for letter in document["newest"]] == [3, 2]


async def test_a_dead_letter_is_shown_with_its_message_reason_and_trace(command: Command, nc: Client) -> None:
    number = await give_up(nc, "jobs.svg.7", '{"version_id": 7}')
    found = await command("dead-letters", "show", str(number))
    assert (found.code, found.err) == (0, "")
    for text in (
        "subject  jobs.svg.7",
        "reason   provider_failed: It failed.",
        "attempt  3",
        "ago)",
        f"trace    {'ab' * 16}",
        "  traceparent: 00-",
        '  "version_id": 7',
    ):
        assert text in found.out
    document = json.loads((await command("dead-letters", "show", str(number), "--json")).out)
    assert document["trace_id"] == "ab" * 16
    assert document["original_payload"] == '{"version_id": 7}'
    assert document["failure"]["code"] == "provider_failed"
    assert 0 <= document["age_seconds"] < 100


async def test_requeueing_starts_a_new_run_and_removes_the_dead_letter(
    command: Command, nc: Client, api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    version_id, payload = await failed_coloring(api, worker, sql)
    number = await give_up(nc, f"jobs.coloring.{version_id}", payload)
    found = await command("dead-letters", "requeue", str(number))
    assert (found.code, found.out, found.err) == (0, f"dead letter {number} requeued\n", "")
    row = await sql.fetchrow("SELECT run, status::text FROM coloring_versions WHERE id = $1", version_id)
    assert tuple(row) == (2, "pending")
    assert (await nc.jetstream().stream_info(DEAD)).state.messages == 0
    again = await command("dead-letters", "requeue", str(number))
    assert again.code == 1
    assert again.err.startswith(f"pastelka_orders: No dead letter {number}; it was requeued, ")


async def test_a_dead_letter_that_cannot_be_requeued_is_kept(command: Command, nc: Client) -> None:
    number = await give_up(nc, "jobs.dancing.1", "{}")
    found = await command("dead-letters", "requeue", str(number))
    assert (found.code, found.out) == (1, "")
    assert (
        found.err
        == f"pastelka_orders: Dead letter {number} cannot be requeued: no consumer handles jobs.dancing.1.\n"
    )
    assert (await nc.jetstream().stream_info(DEAD)).state.messages == 1


async def test_dismissing_a_dead_letter_starts_no_job(
    command: Command, nc: Client, sql: asyncpg.Connection
) -> None:
    number = await give_up(nc, "sync.5", '{"shopify_id": 5, "order_number": "1270"}')
    found = await command("dead-letters", "dismiss", str(number), "--json")
    assert json.loads(found.out) == {"sequence": number, "result": "dismissed"}
    assert (await nc.jetstream().stream_info(DEAD)).state.messages == 0
    assert await sql.fetchval("SELECT count(*) FROM shop_jobs") == 0
    assert (await command("dead-letters", "dismiss", str(number))).code == 1


async def test_the_reconcile_command_repairs_and_reports(
    command: Command, nc: Client, api: Any, sql: asyncpg.Connection
) -> None:
    await api.order()
    await api.post("/images/1/generate-coloring")
    await sql.execute("DELETE FROM outbox")
    dry = await command("reconcile", "--dry-run")
    assert (dry.code, dry.err) == (0, "")
    first, last = dry.out.splitlines()
    assert first.split() == ["coloring", "never_published", "version=1", "run=1", "attempt=0"]
    assert last == "1 active versions, 1 rows to repair"
    assert await sql.fetchval("SELECT count(*) FROM outbox") == 0
    assert json.loads((await command("reconcile", "--grace", "60", "--json")).out)["repaired"] == []
    document = json.loads((await command("reconcile", "--json")).out)
    assert document["repaired"] == [
        {"kind": "coloring", "reason": "never_published", "about": {"version": 1, "run": 1, "attempt": 0}}
    ]
    assert await sql.fetchval("SELECT subject FROM outbox") == "jobs.coloring.1"
    assert (await nc.jetstream().stream_info(JOBS)).state.messages == 0  # the worker's relay publishes


async def test_reconciling_recreates_missing_streams_except_in_a_dry_run(
    command: Command, nc: Client
) -> None:
    await nc.jetstream().delete_stream(JOBS)
    dry = await command("reconcile", "--dry-run")
    assert dry.code == 1
    assert dry.err.startswith("pastelka_orders: stream JOBS: stream not found")
    assert (await command("reconcile")).code == 0
    assert (await nc.jetstream().stream_info(JOBS)).state.messages == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            (),
            "the following arguments are required: {users,tokens,dead-letters,refused-messages,reconcile,",
        ),
        (("dead-letters",), "the following arguments are required: {list,show,requeue,dismiss}"),
        (("dead-letters", "show"), "the following arguments are required: sequence"),
        (("dead-letters", "show", "first"), "'first' is not a whole number from 1 to"),
        (("dead-letters", "list", "--limit", "0"), "'0' is not a whole number from 1 to 1000"),
        (("reconcile", "--grace", "-1"), "'-1' is not a number of seconds from 0 to 86400"),
        (("repair",), "invalid choice: 'repair'"),
    ],
)
async def test_a_wrong_command_line(command: Command, arguments: tuple[str, ...], complaint: str) -> None:
    found = await command(*arguments)
    assert (found.code, found.out) == (2, "")
    assert complaint in found.err


async def test_a_missing_setting(command: Command, nc: Client) -> None:
    await give_up(nc, "jobs.coloring.1", "{}")
    found = await command("dead-letters", "requeue", "1", DATABASE_URL=None)
    assert (found.code, found.err) == (2, "DATABASE_URL: is missing\n")
    # What needs no database asks for none.
    assert (await command("dead-letters", "list", DATABASE_URL=None)).code == 0


async def test_an_unreachable_broker_or_database_is_reported_in_one_line(
    command: Command, nc: Client
) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    found = await command("dead-letters", "list", NATS_URL=f"nats://user:secret@{nowhere}")
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith(f"pastelka_orders: NATS does not respond at nats://{nowhere} (NATS_URL)")
    await give_up(nc, "jobs.coloring.1", '{"version_id": 1}')
    database = f"postgresql+asyncpg://user:secret@{nowhere}/orders"
    for arguments in (("reconcile",), ("dead-letters", "requeue", "1")):
        found = await command(*arguments, DATABASE_URL=database)
        assert (found.code, found.out) == (1, "")
        assert found.err.count("\n") == 1
        assert "secret" not in found.err


REFUSE = """INSERT INTO outbox (subject, msg_id, payload, refused)
    VALUES ('nowhere.M1', 'm', '12345', 'no response from stream') RETURNING id"""


async def test_refused_messages_are_listed_and_published_again(
    command: Command, sql: asyncpg.Connection
) -> None:
    number = await sql.fetchval(REFUSE)
    shown = (await command("refused-messages", "list")).out
    assert f"{number} " in shown
    assert "nowhere.M1" in shown
    assert "5 bytes  no response from stream" in shown
    (listed,) = json.loads((await command("refused-messages", "list", "--json")).out)
    assert (listed["id"], listed["size"]) == (number, 5)
    assert (
        await command("refused-messages", "retry", str(number))
    ).out == f"refused message {number} retried\n"
    assert await sql.fetchval("SELECT refused FROM outbox") is None
    assert (await command("refused-messages", "list")).out == "0 refused messages\n"


async def test_a_refused_message_is_discarded_once(command: Command, sql: asyncpg.Connection) -> None:
    number = await sql.fetchval(REFUSE)
    assert (await command("refused-messages", "discard", str(number))).code == 0
    assert await sql.fetchval("SELECT count(*) FROM outbox") == 0
    again = await command("refused-messages", "discard", str(number))
    assert (again.code, again.out) == (1, "")
    assert f"no refused message {number}" in again.err
