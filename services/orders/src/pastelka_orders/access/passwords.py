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

MIN_LENGTH = 12
MAX_LENGTH = 1000

MIN_DISTINCT = 4
"""Distinct characters of a password."""

_CONCURRENCY = 2
"""Each hash uses 64 MiB and more than one core."""


class Passwords:
    """Hashes and verifies; one per process. Parameters: RFC 9106's second recommended option."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._limiter: CapacityLimiter | None = None
        self._decoy_hash: str | None = None

    async def hash_password(self, password: str) -> str:
        """Hash with a random salt; the result contains the parameters."""
        return await self._in_thread(self._hasher.hash, _normalized(password))

    async def match(self, stored_hash: str | None, password: str) -> bool:
        """Whether ``password`` matches ``stored_hash``.

        ``None`` (no such user) is ``False``, in the same time.
        """
        is_unknown = stored_hash is None
        expected_hash = stored_hash if stored_hash is not None else await self._decoy()
        return await self._in_thread(self._verify, expected_hash, _normalized(password)) and not is_unknown

    def is_outdated(self, stored_hash: str) -> bool:
        """Whether the hash has other parameters than the current ones."""
        return self._hasher.check_needs_rehash(stored_hash)

    async def prepare(self) -> None:
        """Create the decoy hash, so that the first comparison with it is not slower."""
        await self._decoy()

    async def _decoy(self) -> str:
        if self._decoy_hash is None:
            self._decoy_hash = await self.hash_password("the password of no user")
        return self._decoy_hash

    def _verify(self, stored_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        if self._limiter is None:
            self._limiter = CapacityLimiter(_CONCURRENCY)
        return await to_thread.run_sync(work, *arguments, limiter=self._limiter)


def password_problem(password: str) -> str | None:
    """Why this password is rejected, as a sentence; ``None`` if it is accepted.

    Surrounding spaces and invisible characters do not count.
    """
    seen = single_line(_normalized(password))
    if len(password) > MAX_LENGTH or len(seen) < MIN_LENGTH:
        return (
            f"A password must have {MIN_LENGTH} to {MAX_LENGTH} characters, not counting surrounding spaces."
        )
    if len(set(seen) - {" "}) < MIN_DISTINCT:
        return f"A password must have at least {MIN_DISTINCT} different characters."
    return None


def _normalized(password: str) -> str:
    """NFKC: precomposed and combining accents are the same password."""
    return unicodedata.normalize("NFKC", password)
