"""Passwords, hashed with Argon2id (RFC 9106), off the event loop."""

import unicodedata
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from anyio import CapacityLimiter, to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pastelka_orders.domain.text import single_line

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

SHORTEST = 12
LONGEST = 1000

FEWEST_DIFFERENT = 4
"""Characters of a password that are not the same."""

_AT_ONCE = 2
"""Each takes 64 MiB and more than one core while it works."""


class Passwords:
    """Hashes and compares; one for each process. The parameters are RFC 9106's second choice."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._limiter: CapacityLimiter | None = None
        self._decoy_hash: str | None = None

    async def hashed(self, password: str) -> str:
        """The hash to keep, with its parameters and a salt of its own."""
        return await self._in_thread(self._hasher.hash, _normal(password))

    async def match(self, kept: str | None, password: str) -> bool:
        """Whether ``password`` is the one of the hash ``kept``.

        ``None`` (there is no such user) takes as long as any other and is ``False``.
        """
        is_unknown = kept is None
        against = kept if kept is not None else await self._decoy()
        return await self._in_thread(self._verify, against, _normal(password)) and not is_unknown

    def is_outdated(self, kept: str) -> bool:
        """Whether it was made with other parameters than those of now."""
        return self._hasher.check_needs_rehash(kept)

    async def prepare(self) -> None:
        """Create the decoy hash, so that the first comparison with it takes no longer than others."""
        await self._decoy()

    async def _decoy(self) -> str:
        if self._decoy_hash is None:
            self._decoy_hash = await self.hashed("the password of no user")
        return self._decoy_hash

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        if self._limiter is None:
            self._limiter = CapacityLimiter(_AT_ONCE)
        return await to_thread.run_sync(work, *arguments, limiter=self._limiter)


def password_problem(password: str) -> str | None:
    """Why this password is not allowed, as a sentence; ``None`` if it may be used.

    Only what is seen counts: spaces around it, and characters that no keyboard shows, are no protection.
    """
    seen = single_line(_normal(password))
    if len(password) > LONGEST or len(seen) < SHORTEST:
        return f"A password has {SHORTEST} to {LONGEST} characters, without the spaces around it."
    if len(set(seen) - {" "}) < FEWEST_DIFFERENT:
        return f"A password has at least {FEWEST_DIFFERENT} different characters."
    return None


def _normal(password: str) -> str:
    """However a keyboard puts accents together, it is the same password (NFKC)."""
    return unicodedata.normalize("NFKC", password)
