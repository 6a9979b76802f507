"""Progress of JetStream consumers."""

from dataclasses import dataclass

from nats.aio.client import Client
from nats.js.errors import NotFoundError

from pastelka_common.contracts.statuses import StatusType
from pastelka_common.messaging.names import names_of
from pastelka_common.messaging.stored_messages import get_last_message_from_leader
from pastelka_common.messaging.topology import FACTS_CONSUMER, STATUS, ConsumerSpec


@dataclass(frozen=True, slots=True)
class ConsumerStats:
    """Messages of one consumer: waiting, in progress, and the sequence up to which all are finished.

    A paused one delivers none.
    """

    waiting: int = 0
    in_progress: int = 0
    finished: int = 0
    is_paused: bool = False


async def consumer_stats(nc: Client, spec: ConsumerSpec) -> ConsumerStats:
    """Stats of a consumer; zeros if it does not exist yet."""
    try:
        info = await nc.jetstream().consumer_info(names_of(nc).stream(spec.stream), spec.name)
    except NotFoundError:
        return ConsumerStats()
    finished = info.ack_floor.stream_seq if info.ack_floor else 0
    return ConsumerStats(info.num_pending or 0, info.num_ack_pending or 0, finished or 0, bool(info.paused))


async def are_facts_applied(nc: Client, kind: StatusType, version_id: int) -> bool:
    """Whether every fact of a version in the stream ``STATUS`` has been applied or refused.

    Raises ``publish.BROKER_ERRORS``.
    """
    fact = await get_last_message_from_leader(nc, STATUS, f"status.{kind}.{version_id}")
    if fact is None:
        return True
    return (await consumer_stats(nc, FACTS_CONSUMER)).finished >= fact.sequence
