"""Who acts in a transaction: a person, a program, the shop, or the system itself.

``Database.write`` stores the actor in the transaction; the triggers that write the history read it there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["open", "user", "proxy", "token", "shop", "system"]
"""A principal's kind (``PrincipalKind``), an event of the shop, or the system itself, as a worker."""

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Actor:
    """``name`` is the principal's, or the topic of the shop's webhook."""

    kind: ActorKind
    name: str


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


def current_actor() -> Actor | None:
    """Who acts; ``None`` for the system itself."""
    return _actor.get()


@contextmanager
def acting_as(kind: ActorKind, name: str) -> Iterator[None]:
    """Record ``name`` as the actor of the transactions begun in this context."""
    token = _actor.set(Actor(kind, name[:LONGEST_NAME]))
    try:
        yield
    finally:
        _actor.reset(token)
