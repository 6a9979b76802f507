"""Health of all services, by request and reply; nothing is stored."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Literal

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from pastelka_common.contracts.messages import now
from pastelka_common.health import Check, run_checks
from pastelka_common.messaging.names import names_of
from pastelka_common.messaging.request_many import request_many

SUBJECT = "services.health"
"""Subject of health requests; in no stream."""

_CHECK_SECONDS = 0.8
_WAIT_SECONDS = 1.2
_QUIET_SECONDS = 0.1

log = structlog.get_logger(__name__)


BreakerState = Literal["closed", "open", "half_open"]


class BreakerHealth(BaseModel):
    """A provider's circuit breaker: its ``state`` ``since`` when, and the ``reason`` unless closed.

    ``next_probe_at`` is the time of the probe; only set while it is open.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: BreakerState
    since: AwareDatetime
    reason: str | None = None
    next_probe_at: AwareDatetime | None = None


class ServiceHealth(BaseModel):
    """One process of a service. ``checks`` are the results of ``/readyz``: ``ok``, or the error."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    instance: str
    started_at: AwareDatetime
    checks: dict[str, str]
    breaker: BreakerHealth | None = None

    @property
    def healthy(self) -> bool:
        """Whether all dependencies are available."""
        return all(result == "ok" for result in self.checks.values())


def instance() -> str:
    """Identifier of this process: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


@asynccontextmanager
async def serve_health(
    nc: Client,
    name: str,
    checks: Mapping[str, Check],
    breaker: Callable[[], BreakerHealth] | None = None,
) -> AsyncIterator[None]:
    """Answer health requests while the body runs."""
    started_at = now()

    async def respond(msg: Msg) -> None:
        results = await run_checks(checks, timeout=_CHECK_SECONDS)
        health = ServiceHealth(
            name=name,
            instance=instance(),
            started_at=started_at,
            checks=results,
            breaker=breaker() if breaker else None,
        )
        try:
            await msg.respond(health.model_dump_json().encode())
        except Exception as error:  # noqa: BLE001 - the requester reports a missing reply
            log.debug("health reply failed", error=str(error))

    subscription = await nc.subscribe(names_of(nc).subject(SUBJECT), cb=respond)
    try:
        yield
    finally:
        if not nc.is_closed:
            await subscription.unsubscribe()


async def collect_health(
    nc: Client, expected: Collection[str], *, wait: float = _WAIT_SECONDS
) -> list[ServiceHealth]:
    """Health of every process that responds within ``wait`` seconds, by name and instance.

    Returns early once every name in ``expected`` has responded and no further response follows shortly.
    """
    loop = asyncio.get_running_loop()
    deadline, missing = loop.time() + wait, set(expected)
    found: list[ServiceHealth] = []
    async with request_many(nc, names_of(nc).subject(SUBJECT)) as responses:
        while (left := deadline - loop.time()) > 0:
            try:
                async with asyncio.timeout(left if missing else min(left, _QUIET_SECONDS)):
                    msg = await responses.get()
            except TimeoutError:
                break
            try:
                found.append(ServiceHealth.model_validate_json(msg.data))
                missing.discard(found[-1].name)
            except ValidationError:  # no responders, or a foreign one
                log.debug("malformed health reply", size=len(msg.data))
    return sorted(found, key=lambda health: (health.name, health.instance))
