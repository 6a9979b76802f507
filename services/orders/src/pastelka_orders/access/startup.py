"""What the API refuses to start with: a lock that would not close."""

from urllib.parse import urlsplit

from pastelka_orders.access.client_info import is_loopback_name
from pastelka_orders.access.settings import split_list
from pastelka_orders.settings import OrdersSettings

_LOCKS = "AUTH_MODE=password (users in the database) or AUTH_MODE=proxy (a proxy says who asks)"


def startup_errors(settings: OrdersSettings) -> list[str]:
    """One sentence for each reason not to serve with these settings; none if all is well."""
    if settings.auth_mode == "open":
        return _not_local(settings)
    return _no_proxy(settings) if settings.auth_mode == "proxy" else []


def _not_local(settings: OrdersSettings) -> list[str]:
    found = []
    if not is_loopback_name(_bracketed(settings.host)):
        found.append(f"HOST is {settings.host}, where others than this machine can reach the API")
    public = urlsplit(settings.static_url).netloc
    if not is_loopback_name(public):
        found.append(f"STATIC_URL leads to {public}, so that others than this machine are served")
    return [
        f"AUTH_MODE: is open (the default), but {one}; set {_LOCKS}, or serve 127.0.0.1 only" for one in found
    ]


def _no_proxy(settings: OrdersSettings) -> list[str]:
    found = []
    if not split_list(settings.auth_trusted_proxies):
        found.append(
            "AUTH_TRUSTED_PROXIES: is empty, but AUTH_MODE is proxy; set the addresses of the proxy whose "
            f"{settings.auth_proxy_user_header} is to be believed"
        )
    if not split_list(settings.auth_proxy_operators) and not split_list(settings.auth_proxy_viewers):
        found.append(
            "AUTH_PROXY_OPERATORS: is empty and AUTH_PROXY_VIEWERS too, so that nobody could do anything; "
            "list users, groups as @group, or * for everybody"
        )
    return found


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
