"""Authenticates every request, with one database query at most.

The process caches nothing, so every replica rejects a removed user or a revoked token from the next
request on.
"""

from starlette.datastructures import Headers

from pastelka_orders.access import secret
from pastelka_orders.access.client_info import ClientInfo, ProxyHeaders
from pastelka_orders.access.errors import SignInRequiredError, UserNotAllowedError
from pastelka_orders.access.principal import OPEN_PRINCIPAL, ROLE_OF_SCOPE, Principal, Role
from pastelka_orders.access.settings import AccessSettings, split_list
from pastelka_orders.database import Database
from pastelka_orders.repository import api_tokens, sessions

_MAX_NAME_LENGTH = 200
_ANY_USER = "*"
_BEARER = "bearer "


class Authenticator:
    """Identifies the caller of a request, by the method that ``AUTH_MODE`` selects."""

    def __init__(self, settings: AccessSettings, database: Database, proxy_headers: ProxyHeaders) -> None:
        self._settings = settings
        self._database = database
        self._proxy_headers = proxy_headers
        self._operators = frozenset(split_list(settings.auth_proxy_operators))
        self._viewers = frozenset(split_list(settings.auth_proxy_viewers))

    async def authenticate(
        self, headers: Headers, cookie: str | None, client_info: ClientInfo
    ) -> Principal | None:
        """The principal of a request; ``None`` if it carries no credentials.

        Raises ``SignInRequiredError`` for an invalid token, even beside a valid cookie, and
        ``UserNotAllowedError`` for a user of the proxy without a role.
        """
        mode = self._settings.auth_mode
        if mode == "open":
            return OPEN_PRINCIPAL
        token = _bearer(headers)
        if token is not None and (mode == "password" or token.startswith(secret.TOKEN_PREFIX)):
            return await self._token_principal(token)
        return (
            await self._session_principal(cookie)
            if mode == "password"
            else self._proxy_principal(headers, client_info)
        )

    async def _token_principal(self, token: str) -> Principal:
        found = None
        if token.startswith(secret.TOKEN_PREFIX) and secret.is_well_formed(
            token.removeprefix(secret.TOKEN_PREFIX)
        ):
            hashed = secret.hash_secret(token)
            found = await self._database.read(lambda c: api_tokens.find(c, hashed))
        if found is None:
            raise SignInRequiredError("The API token is unknown, expired or revoked.")
        if found.is_use_unrecorded:
            await self._database.write(lambda c: api_tokens.record_use(c, found.id))
        return Principal(found.name, "token", ROLE_OF_SCOPE[found.scope])

    async def _session_principal(self, cookie: str | None) -> Principal | None:
        if cookie is None or not secret.is_well_formed(cookie):
            return None
        hashed = secret.hash_secret(cookie)
        found = await self._database.read(lambda c: sessions.find(c, hashed))
        return None if found is None else Principal(found.name, "user", found.role)

    def _proxy_principal(self, headers: Headers, client_info: ClientInfo) -> Principal | None:
        if not self._proxy_headers.is_from_auth_proxy(client_info):
            return None
        names = headers.getlist(self._settings.auth_proxy_user_header)
        # With two headers, one may be forged by the client.
        if len(names) != 1 or not (name := _decode_header(names[0])):
            return None
        groups = headers.getlist(self._settings.auth_proxy_groups_header)
        role = self._role(name, [_decode_header(one) for line in groups for one in line.split(",")])
        if role is None:
            raise UserNotAllowedError(name)
        return Principal(name, "proxy", role)

    def _role(self, name: str, groups: list[str]) -> Role | None:
        known = {name, _ANY_USER, *(f"@{group}" for group in groups if group)}
        if known & self._operators:
            return "operator"
        return "viewer" if known & self._viewers else None


def _bearer(headers: Headers) -> str | None:
    value = headers.get("authorization", "")
    return value[len(_BEARER) :].strip() if value[: len(_BEARER)].lower() == _BEARER else None


def _decode_header(value: str) -> str:
    """Decode a header value as UTF-8, which proxies send and Starlette decodes as Latin-1."""
    try:
        value = value.encode("latin-1").decode()
    except UnicodeError:
        return ""
    return "".join(one for one in value.strip() if one.isprintable())[:_MAX_NAME_LENGTH]
