"""Records of runs for redelivered jobs: provider job, attempts, open paid request.

A record is stored in the bucket ``RUNS`` under ``<kind>.<version>.<run>``. A worker writes it before it sends
a paid request, when the provider has accepted it, and when a delivery ends without completion, always by
compare-and-swap: the write fails for a worker that has lost the run to another one.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from nats.aio.client import Client
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue
from pydantic import BaseModel, ConfigDict, ValidationError

from pastelka_common.contracts.messages import Failure
from pastelka_common.errors import BrokerUnavailableError
from pastelka_common.messaging.names import names_of
from pastelka_common.messaging.publish import BROKER_ERRORS
from pastelka_common.messaging.topology import RUNS

_MAX_TRIES = 5
_RETRY_DELAY = 0.2


class RunRecord(BaseModel):
    """One run. ``holder`` (a process) has it since ``delivery``, the highest known.

    ``failed``: counted attempts. ``silent_deliveries``: deliveries without a report since the last progress.
    ``last_reported``: the last delivery with a report. ``sending``: a paid request was sent, or was about to
    be, without a recorded outcome. ``had_file``: the job's target existed before it. ``unknown``: requests
    whose outcome will never be known. ``provider_job_id``: the provider's id of the accepted job.
    ``withdrawn``: ids of jobs cancelled before any work on them. ``withdrawing``: the current one is about to
    be.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    holder: str = ""
    delivery: int = 0
    failed: int = 0
    silent_deliveries: int = 0
    last_reported: int = 0
    sending: bool = False
    had_file: bool = False
    unknown: int = 0
    provider_job_id: str | None = None
    withdrawing: bool = False
    withdrawn: tuple[str, ...] = ()
    last: Failure | None = None

    def is_beyond(self, holder: str, delivery: int) -> bool:
        """Whether another worker received the job after ``delivery`` of ``holder``."""
        return self.delivery > delivery or (self.delivery == delivery and self.holder != holder)

    def current(self, *ids: str | None) -> str | None:
        """The first of the ids that is not of a withdrawn job."""
        return next((one for one in ids if one is not None and one not in self.withdrawn), None)

    def with_provider_job(self, provider_job_id: str | None) -> "RunRecord":
        """The record with this id, unless it already has another one or the job was withdrawn."""
        present = self.current(self.provider_job_id, provider_job_id)
        return self.model_copy(update={"provider_job_id": present})

    def silent_before(self, delivery: int) -> int:
        """Number of deliveries before ``delivery`` without a report since the last progress."""
        return self.silent_deliveries + max(0, delivery - 1 - self.last_reported)


@dataclass(frozen=True, slots=True)
class VersionedRecord:
    """A record with its revision in the bucket; 0 if there is none."""

    record: RunRecord
    revision: int


Alter = Callable[[RunRecord], RunRecord]


class RunRecords:
    """The records in their bucket. :meth:`read` and :meth:`change` raise ``BrokerUnavailableError``."""

    def __init__(self, bucket: KeyValue) -> None:
        self._bucket = bucket

    @classmethod
    async def open(cls, nc: Client) -> "RunRecords":
        """Open the bucket, which must exist."""
        return cls(await nc.jetstream().key_value(names_of(nc).bucket(RUNS)))

    async def read(self, key: str) -> VersionedRecord:
        """The record of a run; an empty one if there is none."""
        try:
            entry = await self._bucket.get(key)
        except KeyNotFoundError as missing:
            return VersionedRecord(RunRecord(), (missing.entry.revision if missing.entry else None) or 0)
        except BROKER_ERRORS as error:
            raise BrokerUnavailableError from error
        return VersionedRecord(parse_record(entry.value), entry.revision or 0)

    async def change(
        self, key: str, alter: Alter, *, known: VersionedRecord | None = None
    ) -> VersionedRecord:
        """Replace a record by the result of ``alter``, which is called again after a conflict.

        ``alter`` may raise; an unchanged record is not written. ``known`` is the record if already read.
        """
        for attempt in range(1, _MAX_TRIES + 1):
            stored = known or await self.read(key)
            known = None
            changed = alter(stored.record)
            if changed == stored.record:
                return stored
            try:
                revision = await self._bucket.update(
                    key, changed.model_dump_json().encode(), last=stored.revision
                )
            except KeyWrongLastSequenceError:
                continue
            except BROKER_ERRORS as error:
                if attempt == _MAX_TRIES:
                    raise BrokerUnavailableError from error
                await asyncio.sleep(_RETRY_DELAY)  # it may have been stored: read it again
            else:
                return VersionedRecord(changed, revision)
        raise BrokerUnavailableError

    async def store_provider_job(self, key: str, provider_job_id: str) -> VersionedRecord:
        """Store the id of an accepted job unless another one was stored first.

        Retries until the broker responds, because losing the id could mean paying twice.
        """
        while True:
            try:
                return await self.change(key, lambda record: record.with_provider_job(provider_job_id))
            except BrokerUnavailableError:
                await asyncio.sleep(_RETRY_DELAY)


def parse_record(value: bytes | None) -> RunRecord:
    """Parse a stored record; an empty one if it is missing or malformed."""
    try:
        return RunRecord.model_validate_json(value or b"")
    except ValidationError:
        return RunRecord()
