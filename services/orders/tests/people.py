"""Users, sessions and API tokens, and the headers of their requests."""

from datetime import timedelta

from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.access import secret
from pastelka_orders.access.passwords import Passwords
from pastelka_orders.access.principal import Role, Scope
from pastelka_orders.database import Database
from pastelka_orders.repository import accounts, api_tokens, sessions
from pastelka_orders.repository.sessions import SessionLife

PASSWORD = "a long enough password"
CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class People:
    """Makes users, sessions and tokens; the methods return the headers that authenticate a request."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._passwords = Passwords(CHEAP_HASHER)

    async def user(self, name: str, role: Role, password: str = PASSWORD) -> None:
        """Add a user."""
        hashed = await self._passwords.hash_password(password)
        assert await self._database.write(lambda c: accounts.add(c, name, role, hashed))

    async def signed_in(
        self, role: Role, name: str | None = None, *, idle: timedelta = timedelta(hours=1)
    ) -> dict[str, str]:
        """Add a user (named like the role by default) and begin a session; returns the cookie header."""
        await self.user(name or role, role)
        return await self.session(name or role, idle=idle)

    async def session(self, name: str, *, idle: timedelta = timedelta(hours=1)) -> dict[str, str]:
        """Begin a session of a user; returns the cookie header."""
        cookie = secret.new_session_secret()

        async def begin(connection: AsyncConnection) -> None:
            account = await accounts.find(connection, name)
            assert account is not None
            life = SessionLife(idle, timedelta(days=7))
            await sessions.add(connection, secret.hash_secret(cookie), account.id, life)

        await self._database.write(begin)
        return {"Cookie": f"pastelka_session={cookie}"}

    async def token(
        self, scope: Scope, name: str | None = None, *, life: timedelta = timedelta(hours=1)
    ) -> dict[str, str]:
        """Make a token (named like its scope by default); returns the header with it."""
        token = secret.new_token()
        hashed = secret.hash_secret(token)
        assert await self._database.write(lambda c: api_tokens.add(c, name or scope, scope, hashed, life))
        return {"Authorization": f"Bearer {token}"}
