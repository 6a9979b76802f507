"""Sign-in and sign-out with a password.

Attempts are limited per name and per address. A browser in which that name has signed in before sends a
cookie (a "device cookie",
https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies) and is limited by that
instead: guesses from elsewhere do not lock the owner out.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.access import secret
from pastelka_orders.access.client_info import parse_address
from pastelka_orders.access.errors import BadCredentialsError, PasswordsDisabledError, TooManyAttemptsError
from pastelka_orders.access.passwords import Passwords
from pastelka_orders.access.principal import Principal
from pastelka_orders.access.settings import AccessSettings
from pastelka_orders.database import Database
from pastelka_orders.repository import accounts, known_devices, sessions, sign_in_throttle
from pastelka_orders.repository.accounts import Account
from pastelka_orders.repository.sessions import SessionLife
from pastelka_orders.repository.sign_in_throttle import Rate

_WINDOW = timedelta(minutes=15)
_IPV6_PREFIX_BITS = 64
"""Length in bits of the IPv6 prefix that a provider assigns to one customer."""
_MAX_TRIES = 3

Limits = tuple[tuple[bytes, Rate], ...]
"""Rate limits that an attempt counts against, always in this order."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class StartedSession:
    """A new session; its secrets go into their cookies only."""

    principal: Principal
    secret: str
    device: str
    """Secret of the device cookie."""


class SignIn:
    """Verifies passwords, starts and ends sessions."""

    def __init__(self, settings: AccessSettings, database: Database, passwords: Passwords) -> None:
        self._mode = settings.auth_mode
        self._database = database
        self._passwords = passwords
        self.life = SessionLife(
            timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_max_hours)
        )
        self._per_name = Rate(settings.sign_in_tries_per_name, _WINDOW)
        self._per_address = Rate(settings.sign_in_tries_per_address, _WINDOW)

    async def prepare(self) -> None:
        """Do one-time work, so that the first attempt with an unknown name is not slower."""
        await self._passwords.prepare()

    async def sign_in(
        self, name: str, password: str, *, address: str, before: str | None, device: str | None = None
    ) -> StartedSession:
        """Start a session and end the browser's previous one, ``before``. ``device`` is its device cookie.

        Raises ``PasswordsDisabledError``, ``TooManyAttemptsError`` and ``BadCredentialsError``.
        """
        if self._mode != "password":
            raise PasswordsDisabledError(self._mode)
        known = await self._known_device(name, device)
        limits = self._limits(name, address, known)
        if wait := await self._database.write(lambda c: _consume(c, limits)):
            log.warning("sign-in throttled", address=address, seconds=wait)
            raise TooManyAttemptsError(wait)
        for _ in range(_MAX_TRIES):
            account = await self._verify_credentials(name, password, address)
            if started := await self._begin(account, password, before, known, limits):
                log.info("signed in", user=started.principal.name, address=address)
                return started
        raise BadCredentialsError

    async def _verify_credentials(self, name: str, password: str, address: str) -> Account:
        """The user with this name and password, in constant time. Raises ``BadCredentialsError``."""
        found = await self._database.read(lambda c: accounts.find(c, name))
        enabled = found if found is not None and found.disabled_at is None else None
        matches = await self._passwords.match(enabled.password_hash if enabled else None, password)
        if enabled is not None and matches:
            return enabled
        # An unknown name is not logged: it may be a password in the wrong field.
        log.warning("sign-in refused", user=found.name if found else None, address=address)
        raise BadCredentialsError

    async def _begin(
        self, account: Account, password: str, before: str | None, known: str | None, limits: Limits
    ) -> StartedSession | None:
        """Start a session; ``None`` if the user has changed since the password was verified."""
        device = known or secret.new_session_secret()
        new, rehashed = secret.new_session_secret(), await self._new_hash(account, password)

        async def begin(connection: AsyncConnection) -> Account | None:
            found = await accounts.lock_unchanged(connection, account)
            if found is None:
                return None
            if rehashed is not None:
                await accounts.rehash(connection, found.id, rehashed)
            if before is not None:
                await sessions.remove(connection, secret.hash_secret(before))
            await sessions.add(connection, secret.hash_secret(new), found.id, self.life)
            await known_devices.record_use(connection, secret.hash_secret(device), found.id)
            for key, rate in limits:
                await sign_in_throttle.refund(connection, key, rate)
            return found

        found = await self._database.write(begin)
        return (
            None if found is None else StartedSession(Principal(found.name, "user", found.role), new, device)
        )

    async def sign_out(self, cookie: str) -> None:
        """End the session of a cookie, if there is one."""
        if await self._database.write(lambda c: sessions.remove(c, secret.hash_secret(cookie))):
            log.info("signed out")

    async def extend(self, cookie: str) -> None:
        """Extend the session of a cookie."""
        await self._database.write(lambda c: sessions.extend(c, secret.hash_secret(cookie), self.life))

    async def _known_device(self, name: str, device: str | None) -> str | None:
        """``device`` if this name has signed in with it before."""
        if device is None or not secret.is_well_formed(device):
            return None
        hashed, name_key = secret.hash_secret(device), accounts.name_key(name)
        return (
            device
            if await self._database.read(lambda c: known_devices.is_known(c, hashed, name_key))
            else None
        )

    def _limits(self, name: str, address: str, device: str | None) -> Limits:
        name_key = accounts.name_key(name)
        if device is not None:
            # A separate limit, unaffected by guesses, even from the same address (an office's NAT).
            return ((_key("device", f"{device}:{name_key}"), self._per_name),)
        return (
            (_key("address", _network(address)), self._per_address),
            (_key("name", name_key), self._per_name),
        )

    async def _new_hash(self, account: Account, password: str) -> str | None:
        if not self._passwords.is_outdated(account.password_hash):
            return None
        return await self._passwords.hash_password(password)


async def _consume(connection: AsyncConnection, limits: Limits) -> int:
    """Count one attempt against each limit; returns the seconds to wait if one is exhausted."""
    await sign_in_throttle.delete_full(connection)
    for key, rate in limits:
        if wait := await sign_in_throttle.consume(connection, key, rate):
            return wait
    return 0


def _key(kind: str, value: str) -> bytes:
    return hashlib.sha256(f"{kind}:{value}".encode()).digest()


def _network(address: str) -> str:
    """What a client cannot choose freely: an IPv4 address, or the first half of an IPv6 one."""
    found = parse_address(address)
    if found is None or found.version == 4:  # noqa: PLR2004 - IPv4
        return address
    return str(int(found) >> _IPV6_PREFIX_BITS)
