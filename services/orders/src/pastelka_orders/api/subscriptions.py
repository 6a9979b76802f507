"""Authorization of browsers at the Mercure hub."""

import math
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import Response

from pastelka_orders.settings import OrdersSettings

COOKIE = "mercureAuthorization"
MAX_AGE_HEADER = "Mercure-Max-Age"
"""Header: seconds until the cookie in the same response expires. The page, which cannot read the cookie, uses
it to renew in time."""

_PATH = "/.well-known/mercure"
_TOPICS = ["orders", "orders/{order_number}", "heartbeat"]
_REUSE_PERIOD = timedelta(minutes=1)
_REUSE_DIVISOR = 10


class Subscriptions:
    """Sets a short-lived subscriber cookie for all topics.

    All browsers have the same subscriptions, so they share a token for a minute (or a tenth of its lifetime,
    if that is less).
    """

    def __init__(self, settings: OrdersSettings) -> None:
        self._key = settings.mercure_subscriber_jwt_key
        self._lifetime = timedelta(seconds=settings.mercure_cookie_seconds)
        self._reuse_period = min(_REUSE_PERIOD, self._lifetime / _REUSE_DIVISOR)
        self._token = ""
        self._made_at = datetime.min.replace(tzinfo=UTC)

    def allow(self, response: Response, *, secure: bool) -> None:
        """Set the cookie and the ``Link`` to the hub; ``secure``: the browser uses TLS."""
        if self._key is None:
            return
        now = datetime.now(UTC)
        token = self._current_token(self._key.get_secret_value(), now)
        seconds_left = math.floor((self._made_at + self._lifetime - now).total_seconds())
        response.set_cookie(
            COOKIE, token, max_age=seconds_left, path=_PATH, secure=secure, httponly=True, samesite="strict"
        )
        response.headers[MAX_AGE_HEADER] = str(seconds_left)
        response.headers["Link"] = f'<{_PATH}>; rel="mercure"'

    def clear(self, response: Response, *, secure: bool) -> None:
        """Delete the cookie."""
        if self._key is not None:
            response.delete_cookie(COOKIE, path=_PATH, secure=secure, httponly=True, samesite="strict")

    def _current_token(self, key: str, now: datetime) -> str:
        if now - self._made_at > self._reuse_period:
            # Whole seconds, like the token's ``exp``.
            self._made_at = now.replace(microsecond=0)
            claims = {"mercure": {"subscribe": _TOPICS}, "exp": self._made_at + self._lifetime}
            self._token = jwt.encode(claims, key, algorithm="HS256")
        return self._token
