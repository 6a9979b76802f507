"""Random secrets: of sessions and of API tokens. The database holds their hashes only.

SHA-256 without salt or cost is right for them, and wrong for passwords: 256 random bits cannot be
guessed or tabulated however fast a hash is, and it is looked up by an index with every request.
"""

import hashlib
import re
import secrets

TOKEN_PREFIX = "pst_"  # noqa: S105 - by which a token is recognised, in code and in leaks
_BYTES = 32
_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")


def new_session_secret() -> str:
    """A secret for a cookie."""
    return secrets.token_urlsafe(_BYTES)


def new_token() -> str:
    """A secret for a program."""
    return TOKEN_PREFIX + secrets.token_urlsafe(_BYTES)


def is_well_formed(secret: str) -> bool:
    """Whether it can be one of ours, without the prefix; what cannot needs no look into the database."""
    return _SHAPE.fullmatch(secret) is not None


def hash_secret(secret: str) -> bytes:
    """What the database holds: 32 bytes."""
    return hashlib.sha256(secret.encode()).digest()
