"""The record of a run, which any worker changes and none overwrites."""

import asyncio

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from pastelka_common.errors import TransientError
from pastelka_common.jobs.records import RunRecord, RunRecords
from pastelka_common.servers import ServerProcess
from pastelka_common.testing.waiting import soon, until

KEY = "coloring.7.1"


async def test_a_provider_job_is_stored_in_the_record_of_its_run(nc: Client):
    records = await RunRecords.open(nc)
    assert (await records.read(KEY)).record.provider_job_id is None
    await records.change(KEY, lambda record: record.model_copy(update={"failed": 2}))
    await records.store_provider_job(KEY, "rp-žluť-1")
    await records.store_provider_job("coloring.7.2", "rp-2")
    others = await RunRecords.open(nc)
    assert (await others.read(KEY)).record == RunRecord(failed=2, provider_job_id="rp-žluť-1")
    assert (await others.read("coloring.7.2")).record.provider_job_id == "rp-2"


async def test_the_first_provider_job_is_kept_until_it_is_withdrawn(nc: Client):
    records = await RunRecords.open(nc)
    await records.store_provider_job(KEY, "rp-1")
    assert (await records.store_provider_job(KEY, "rp-2")).record.provider_job_id == "rp-1"
    await records.change(KEY, lambda record: record.model_copy(update={"withdrawn": ("rp-1",)}))
    assert (await records.store_provider_job(KEY, "rp-2")).record.provider_job_id == "rp-2"
    assert (await records.store_provider_job(KEY, "rp-1")).record.provider_job_id == "rp-2"


async def test_storing_a_provider_job_is_retried_during_a_broker_outage(nc: Client, broker: ServerProcess):
    records = await RunRecords.open(nc)
    await broker.kill()
    await until(lambda: not nc.is_connected)
    keeping = asyncio.create_task(records.store_provider_job(KEY, "rp-1"))
    await broker.start()
    await soon(keeping)
    assert (await records.read(KEY)).record.provider_job_id == "rp-1"


async def test_concurrent_changes_are_all_applied(nc: Client):
    records = await RunRecords.open(nc)

    def failed(record: RunRecord) -> RunRecord:
        return record.model_copy(update={"failed": record.failed + 1})

    await asyncio.gather(*(records.change(KEY, failed) for _ in range(3)))
    assert (await records.read(KEY)).record.failed == 3


async def test_a_record_that_cannot_be_read_is_a_transient_error(nc: Client, js: JetStreamContext):
    records = await RunRecords.open(nc)
    for stream in await js.streams_info():
        await js.delete_stream(stream.config.name or "")
    with pytest.raises(TransientError, match="broker"):
        await records.read(KEY)
