"""Jobs that their consumer will never be given.

A store that was damaged, or put back from an older copy, can bring back a message that its consumer
has already acknowledged. The server then neither delivers nor removes it, and whoever looks takes
it for a job that waits.
"""

import asyncio
import json
from datetime import timedelta

from nats.aio.client import Client

from pastelka_common.contracts.messages import now
from pastelka_common.messaging.held import last_held, subjects_held
from pastelka_common.messaging.topology import (
    COLORING_CONSUMER,
    DOWNLOAD_CONSUMER,
    ERASE_CONSUMER,
    JOBS,
    VECTORIZE_CONSUMER,
    ConsumerSpec,
)
from pastelka_orders.reconciler.sweep import Kind, Sweep

_CONSUMERS: dict[Kind, ConsumerSpec] = {
    "coloring": COLORING_CONSUMER,
    "svg": VECTORIZE_CONSUMER,
    "download": DOWNLOAD_CONSUMER,
    "erase": ERASE_CONSUMER,
}
_TIMEOUT = 5.0


async def remove_stranded_jobs(sweep: Sweep) -> None:
    """Take them out of ``JOBS``: what is still wanted of them is then missing, and asked for again."""
    for kind, spec in _CONSUMERS.items():
        subjects = sorted(await subjects_held(sweep.nc, JOBS, spec.filter_subject))
        if not subjects:
            continue
        # The consumer first: what it acknowledges from here on is not yet part of its answer.
        acknowledged = await _acknowledged(sweep.nc, spec)
        oldest = now() - timedelta(seconds=sweep.grace)
        for held in (await last_held(sweep.nc, JOBS, subjects)).values():
            if held.sequence > acknowledged or held.time > oldest:
                continue
            if not sweep.dry_run:
                await sweep.nc.jetstream().purge_stream(JOBS, seq=held.sequence + 1, subject=held.subject)
            sweep.note(kind, "job_never_delivered", subject=held.subject, sequence=held.sequence)


async def _acknowledged(nc: Client, spec: ConsumerSpec) -> int:
    """The number up to which the consumer has acknowledged everything; 0 if there is no such consumer."""
    async with asyncio.timeout(_TIMEOUT):
        answer = await nc.request(f"$JS.API.CONSUMER.INFO.{spec.stream}.{spec.name}", b"", timeout=_TIMEOUT)
    floor = json.loads(answer.data).get("ack_floor", {})
    return int(floor.get("stream_seq", 0))
