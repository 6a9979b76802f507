"""Random secrets of sessions and API tokens. The database stores only their hashes.

Unlike for passwords, unsalted SHA-256 is sufficient: 256 random bits cannot be guessed or tabulated, and
every request looks the hash up by index.
"""

import hashlib
import re
import secrets

TOKEN_PREFIX = "pst_"  # noqa: S105 - a prefix that secret scanners can match
_BYTES = 32
_PATTERN = re.compile(r"[A-Za-z0-9_-]{43}")


def new_session_secret() -> str:
    """Secret of a session cookie."""
    return secrets.token_urlsafe(_BYTES)


def new_token() -> str:
    """API token, with its prefix."""
    return TOKEN_PREFIX + secrets.token_urlsafe(_BYTES)


def is_well_formed(secret: str) -> bool:
    """Whether a secret (without prefix) has our format; others need no database query."""
    return _PATTERN.fullmatch(secret) is not None


def hash_secret(secret: str) -> bytes:
    """The hash that the database stores: 32 bytes."""
    return hashlib.sha256(secret.encode()).digest()
