"""Checks at startup that the API is not served without effective authentication."""

from urllib.parse import urlsplit

from pastelka_orders.access.client_info import is_loopback_name
from pastelka_orders.access.settings import split_list
from pastelka_orders.settings import OrdersSettings

_SECURE_MODES = "AUTH_MODE=password (users in the database) or AUTH_MODE=proxy (an authenticating proxy)"


def startup_errors(settings: OrdersSettings) -> list[str]:
    """One sentence for each reason not to start with these settings."""
    if settings.auth_mode == "open":
        return _not_local(settings)
    return _no_proxy(settings) if settings.auth_mode == "proxy" else []


def _not_local(settings: OrdersSettings) -> list[str]:
    found = []
    if not is_loopback_name(_bracketed(settings.host)):
        found.append(f"HOST is {settings.host}, where other machines can reach the API")
    public = urlsplit(settings.static_url).netloc
    if not is_loopback_name(public):
        found.append(f"STATIC_URL is {public}, which serves other machines")
    return [
        f"AUTH_MODE: is open (the default), but {one}; set {_SECURE_MODES}, or bind to 127.0.0.1"
        for one in found
    ]


def _no_proxy(settings: OrdersSettings) -> list[str]:
    found = []
    if not split_list(settings.auth_trusted_proxies):
        found.append(
            "AUTH_TRUSTED_PROXIES: is empty, but AUTH_MODE is proxy; set the proxy's addresses, which sends "
            f"{settings.auth_proxy_user_header}"
        )
    if not split_list(settings.auth_proxy_operators) and not split_list(settings.auth_proxy_viewers):
        found.append(
            "AUTH_PROXY_OPERATORS: is empty, and so is AUTH_PROXY_VIEWERS, so no user would have access; "
            "list users, groups as @group, or * for every user"
        )
    return found


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
