"""Removes jobs that their consumer will never receive.

A damaged store, or one restored from an older copy, can contain a message that its consumer has already
acknowledged. The server then neither delivers nor removes it, and it looks like a waiting job.
"""

import asyncio
import json
from datetime import timedelta

from nats.aio.client import Client

from pastelka_common.contracts.messages import now
from pastelka_common.messaging.names import names_of
from pastelka_common.messaging.stored_messages import (
    get_last_messages,
    get_stream_state,
    list_subjects,
    purge_subject,
)
from pastelka_common.messaging.topology import COLORING_CONSUMER, JOBS, VECTORIZE_CONSUMER, ConsumerSpec
from pastelka_orders.reconciler.reconcile_pass import Kind, ReconcilePass

_CONSUMERS: dict[Kind, ConsumerSpec] = {"coloring": COLORING_CONSUMER, "svg": VECTORIZE_CONSUMER}
_TIMEOUT = 5.0


async def remove_undeliverable_jobs(reconcile_pass: ReconcilePass) -> None:
    """Remove them from ``JOBS``: the reconciler then finds needed ones missing and republishes them."""
    for kind, spec in _CONSUMERS.items():
        subjects = sorted(await list_subjects(reconcile_pass.nc, JOBS, spec.filter_subject))
        if not subjects:
            continue
        # Query the consumer first: later acknowledgements are then not yet included.
        delivered, acknowledged = await _sequences(reconcile_pass.nc, spec)
        if delivered > (await get_stream_state(reconcile_pass.nc, JOBS)).last:
            await _recreate_consumer(reconcile_pass, kind, spec)
            continue
        oldest = now() - timedelta(seconds=reconcile_pass.grace)
        for message in (await get_last_messages(reconcile_pass.nc, JOBS, subjects)).values():
            if message.sequence > acknowledged or message.time > oldest:
                continue
            if not reconcile_pass.dry_run:
                await purge_subject(reconcile_pass.nc, JOBS, message.subject, up_to=message.sequence)
            reconcile_pass.record(
                kind, "job_never_delivered", subject=message.subject, sequence=message.sequence
            )


async def _recreate_consumer(reconcile_pass: ReconcilePass, kind: Kind, spec: ConsumerSpec) -> None:
    """Delete a consumer that is ahead of its stream: it would receive nothing until the stream caught up.

    Its workers recreate it, and receive everything in the stream.
    """
    if not reconcile_pass.dry_run:
        await reconcile_pass.nc.jetstream().delete_consumer(
            names_of(reconcile_pass.nc).stream(spec.stream), spec.name
        )
    reconcile_pass.record(kind, "consumer_ahead", consumer=spec.name)


async def _sequences(nc: Client, spec: ConsumerSpec) -> tuple[int, int]:
    """Sequences up to which the consumer received and acknowledged everything; 0 if it does not exist."""
    subject = f"$JS.API.CONSUMER.INFO.{names_of(nc).stream(spec.stream)}.{spec.name}"
    async with asyncio.timeout(_TIMEOUT):
        answer = await nc.request(subject, b"", timeout=_TIMEOUT)
    info = json.loads(answer.data)
    delivered, acknowledged = (
        info.get(place, {}).get("stream_seq", 0) for place in ("delivered", "ack_floor")
    )
    return int(delivered), int(acknowledged)
