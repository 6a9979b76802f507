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
"""Distinct characters of a password."""

_AT_ONCE = 2
"""Each hash uses 64 MiB and more than one core."""


class Passwords:
    """Hashes and verifies; one per process. Parameters: RFC 9106's second recommended option."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._limiter: CapacityLimiter | None = None
        self._decoy_hash: str | None = None

    async def hashed(self, password: str) -> str:
        """Hash with a random salt; the result contains the parameters."""
        return await self._in_thread(self._hasher.hash, _normal(password))

    async def match(self, kept: str | None, password: str) -> bool:
        """Whether ``password`` matches ``stored_hash``.

        ``None`` (no such user) is ``False``, in the same time.
        """
        is_unknown = kept is None
        against = kept if kept is not None else await self._decoy()
        return await self._in_thread(self._verify, against, _normal(password)) and not is_unknown

    def is_outdated(self, kept: str) -> bool:
        """Whether the hash has other parameters than the current ones."""
        return self._hasher.check_needs_rehash(kept)

    async def prepare(self) -> None:
        """Create the decoy hash, so that the first comparison with it is not slower."""
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
    """Why this password is rejected, as a sentence; ``None`` if it is accepted.

    Surrounding spaces and invisible characters do not count.
    """
    seen = single_line(_normal(password))
    if len(password) > LONGEST or len(seen) < SHORTEST:
        return f"A password must have {SHORTEST} to {LONGEST} characters, not counting surrounding spaces."
    if len(set(seen) - {" "}) < FEWEST_DIFFERENT:
        return f"A password must have at least {FEWEST_DIFFERENT} different characters."
    return None


def _normal(password: str) -> str:
    """NFKC: precomposed and combining accents are the same password."""
    return unicodedata.normalize("NFKC", password)
