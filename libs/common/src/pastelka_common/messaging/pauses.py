"""Pausing the consumers of jobs: a paused one delivers nothing, also no job again, and loses nothing.

The server keeps a pause with the consumer (NATS ADR-40). ``orders`` stores which consumers are to be paused,
and pauses them again after the broker lost its store.
"""

from datetime import datetime, timedelta
from typing import Literal

from nats.aio.client import Client
from nats.js.errors import NotFoundError

from pastelka_common.contracts.messages import now
from pastelka_common.messaging.names import names_of
from pastelka_common.messaging.topology import JOBS, ConsumerSpec, ensure_consumer

PAUSED_UNTIL = "2200-01-01T00:00:00Z"
"""End of a pause that lasts until it is lifted; also identifies it as ours."""

_HOLD = timedelta(seconds=3)

PauseState = Literal["paused", "paused_elsewhere", "running", "missing"]


def held_until(spec: ConsumerSpec) -> str | None:
    """Until when a consumer of jobs that is recreated delivers nothing; ``None``: it delivers at once.

    Its creator does not know whether the lost one was paused: ``orders`` pauses or resumes it meanwhile.
    """
    return _rfc3339(now() + _HOLD) if spec.stream == JOBS else None


async def pause(nc: Client, spec: ConsumerSpec) -> None:
    """Pause a consumer until :func:`resume`; one that does not exist yet is created.

    Raises ``publish.BROKER_ERRORS``, ``NotFoundError`` if there is no stream yet.
    """
    try:
        await nc.jetstream().pause_consumer(names_of(nc).stream(spec.stream), spec.name, PAUSED_UNTIL)
    except NotFoundError:
        await ensure_consumer(nc, spec, paused_until=PAUSED_UNTIL)


async def resume(nc: Client, spec: ConsumerSpec) -> None:
    """Resume a consumer; nothing if it does not exist. Raises ``publish.BROKER_ERRORS``."""
    try:
        await nc.jetstream().resume_consumer(names_of(nc).stream(spec.stream), spec.name)
    except NotFoundError:
        return


async def pause_state(nc: Client, spec: ConsumerSpec) -> PauseState:
    """Whether a consumer is paused, by :func:`pause` or otherwise. Raises ``publish.BROKER_ERRORS``."""
    try:
        info = await nc.jetstream().consumer_info(names_of(nc).stream(spec.stream), spec.name)
    except NotFoundError:
        return "missing"
    if not info.paused:
        return "running"
    return "paused" if info.config.pause_until == PAUSED_UNTIL else "paused_elsewhere"


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
