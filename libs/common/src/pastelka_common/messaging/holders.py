"""Asking the process that last had a run whether it is still at work on it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from pastelka_common.messaging.names import names_of

_SUBJECT = "holding"
_PATIENCE = 1.5

log = structlog.get_logger(__name__)


class Holders:
    """Which runs this process has in hand; answers others who ask, and asks them.

    A process that is dead has no subscription left, so the server says so at once; one that is
    stopped or cut off does not answer, and is taken for dead.
    """

    def __init__(self, nc: Client) -> None:
        self._nc = nc
        self._in_progress: Counter[str] = Counter()
        self.name = uuid4().hex

    @classmethod
    async def open(cls, nc: Client) -> "Holders":
        """Answer from now on."""
        self = cls(nc)
        await nc.subscribe(_subject(nc, self.name), cb=self._answer)
        return self

    def has(self, key: str) -> bool:
        """Whether the run is in hand here."""
        return self._in_progress[key] > 0

    @contextmanager
    def holding(self, key: str) -> Iterator[None]:
        """Have the run in hand."""
        self._in_progress[key] += 1
        try:
            yield
        finally:
            self._in_progress[key] -= 1
            if not self._in_progress[key]:
                del self._in_progress[key]

    async def is_held_by(self, holder: str, key: str) -> bool:
        """Whether the process ``holder`` says that it has the run in hand."""
        if holder == self.name:
            return self.has(key)
        try:
            answer = await self._nc.request(_subject(self._nc, holder), key.encode(), timeout=_PATIENCE)
        except (NatsError, TimeoutError, OSError):
            return False
        return answer.data == b"yes"

    async def _answer(self, msg: Msg) -> None:
        try:
            await msg.respond(b"yes" if self.has(msg.data.decode(errors="replace")) else b"no")
        except Exception as error:  # noqa: BLE001 - the requester treats silence as no
            log.debug("not answered", error=str(error))


def _subject(nc: Client, holder: str) -> str:
    return names_of(nc).subject(f"{_SUBJECT}.{holder}")
