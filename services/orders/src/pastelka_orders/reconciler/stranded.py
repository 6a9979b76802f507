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
from pastelka_common.messaging.held import last_held, purge_subject, state_of, subjects_held
from pastelka_common.messaging.names import names_of
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
        delivered, acknowledged = await _places(sweep.nc, spec)
        if delivered > (await state_of(sweep.nc, JOBS)).last:
            await _begin_anew(sweep, kind, spec)
            continue
        oldest = now() - timedelta(seconds=sweep.grace)
        for held in (await last_held(sweep.nc, JOBS, subjects)).values():
            if held.sequence > acknowledged or held.time > oldest:
                continue
            if not sweep.dry_run:
                await purge_subject(sweep.nc, JOBS, held.subject, up_to=held.sequence)
            sweep.note(kind, "job_never_delivered", subject=held.subject, sequence=held.sequence)


async def _begin_anew(sweep: Sweep, kind: Kind, spec: ConsumerSpec) -> None:
    """Delete a consumer that is ahead of its stream: it would be given nothing until the stream caught up.

    Its workers declare it again, and are given all that the stream holds.
    """
    if not sweep.dry_run:
        await sweep.nc.jetstream().delete_consumer(names_of(sweep.nc).stream(spec.stream), spec.name)
    sweep.note(kind, "consumer_ahead", consumer=spec.name)


async def _places(nc: Client, spec: ConsumerSpec) -> tuple[int, int]:
    """Numbers up to which the consumer was given, and has acknowledged, everything; 0 if there is none."""
    subject = f"$JS.API.CONSUMER.INFO.{names_of(nc).stream(spec.stream)}.{spec.name}"
    async with asyncio.timeout(_TIMEOUT):
        answer = await nc.request(subject, b"", timeout=_TIMEOUT)
    info = json.loads(answer.data)
    delivered, acknowledged = (
        info.get(place, {}).get("stream_seq", 0) for place in ("delivered", "ack_floor")
    )
    return int(delivered), int(acknowledged)
