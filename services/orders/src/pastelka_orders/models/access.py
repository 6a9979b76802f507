"""Tables of authentication and authorization."""

from datetime import datetime

from sqlalchemy import Enum, ForeignKey, Identity, Index, LargeBinary, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from pastelka_orders.access.principal import Role, Scope
from pastelka_orders.models.base import Base

ROLES = Enum("viewer", "operator", name="userrole")
SCOPES = Enum("read", "write", name="tokenscope")


class User(Base):
    """A person who signs in with a password."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("name_key"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    """As entered."""
    name_key: Mapped[str] = mapped_column(Text)
    """The case-folded name, for lookups."""
    role: Mapped[Role] = mapped_column(ROLES)
    password_hash: Mapped[str] = mapped_column(Text)
    """Argon2id, with its parameters and salt."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    disabled_at: Mapped[datetime | None]


class Session(Base):
    """A signed-in browser."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_user_id", "user_id"), Index("ix_sessions_expires_at", "expires_at"))

    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    """SHA-256 of the cookie's random 256 bits."""
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    """To the minute."""
    expires_at: Mapped[datetime]
    """Extended while the session is used, up to its maximum lifetime."""


class KnownDevice(Base):
    """A browser in which a user has signed in; its attempts are limited separately."""

    __tablename__ = "known_devices"
    __table_args__ = (Index("ix_known_devices_user_id_used_at", "user_id", "used_at"),)

    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    """SHA-256 of the cookie's random 256 bits."""
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    used_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    """When the user last signed in there."""


class ApiToken(Base):
    """An API token."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        UniqueConstraint("secret_hash"),
        # A revoked token stays listed, and its name can be reused.
        Index("ix_api_tokens_name_key", "name_key", unique=True, postgresql_where=text("revoked_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of its random 256 bits."""
    scope: Mapped[Scope] = mapped_column(SCOPES)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    """To ten minutes."""


class SignInThrottle(Base):
    """Rate limit of sign-in attempts per name, address or device."""

    __tablename__ = "sign_in_throttle"
    __table_args__ = (Index("ix_sign_in_throttle_free_at", "free_at"),)

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    """SHA-256 of the name or address: people sometimes enter passwords as names."""
    free_at: Mapped[datetime]
    """When all attempts will be available again."""
