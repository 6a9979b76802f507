"""From where a request came, as far as that is believed, and whose page it is."""

from typing import Any

import pytest
from pydantic import ValidationError
from starlette.datastructures import Headers

from pastelka_orders.access.client_info import ClientInfo, ProxyHeaders, is_loopback_name
from pastelka_orders.access.origin import OriginPolicy
from pastelka_orders.access.settings import AccessSettings

GATEWAY, CLIENT, PROXY = "10.0.0.2", "203.0.113.9", "10.9.9.9"


def settings(**changes: str) -> AccessSettings:
    return AccessSettings(trusted_proxies="10.0.0.2, 127.0.0.0/8, ::1", **changes)


def came(peer: str | None, scheme: str = "http", **sent: str) -> ClientInfo:
    headers = Headers({name.replace("_", "-"): value for name, value in sent.items()})
    return ProxyHeaders(settings(auth_trusted_proxies=PROXY)).read(peer, scheme, headers)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        (CLIENT, None, CLIENT),
        (GATEWAY, CLIENT, CLIENT),
        (GATEWAY, f"198.51.100.1, {CLIENT}", CLIENT),
        (GATEWAY, f"{CLIENT}, {PROXY}", CLIENT),
        (GATEWAY, f"{CLIENT}, 127.0.0.1", CLIENT),
        (GATEWAY, f"{CLIENT}:4711", CLIENT),
        (GATEWAY, "[2001:db8::1]:4711", "2001:db8::1"),
        (GATEWAY, "2001:db8::1", "2001:db8::1"),
        (GATEWAY, None, GATEWAY),
        (f"::ffff:{GATEWAY}", CLIENT, CLIENT),
        # The API ignores forwarding headers of a client that is no gateway.
        (CLIENT, "198.51.100.1", CLIENT),
        (PROXY, CLIENT, PROXY),
        (None, CLIENT, "unknown"),
        ("unix:", CLIENT, "unix:"),
    ],
)
def test_the_client_address_is_taken_from_trusted_proxies_only(
    peer: str | None, forwarded: str | None, client: str
) -> None:
    sent = {} if forwarded is None else {"X_Forwarded_For": forwarded}
    assert came(peer, **sent).client == client


def test_host_and_scheme_are_taken_from_trusted_proxies_only() -> None:
    sent = {"Host": "orders:8000", "X_Forwarded_Host": "studio.example", "X_Forwarded_Proto": "https"}
    client_info = came(GATEWAY, **sent)
    assert (client_info.host, client_info.secure) == ("studio.example", True)
    client_info = came(CLIENT, **sent)
    assert (client_info.host, client_info.secure) == ("orders:8000", False)
    assert came(CLIENT, "https", Host="x").secure
    assert not came(GATEWAY, "https", X_Forwarded_Proto="http").secure


def test_a_gateway_authenticates_no_user() -> None:
    proxy_headers = ProxyHeaders(settings(auth_trusted_proxies=PROXY))
    assert proxy_headers.is_from_auth_proxy(came(PROXY))
    assert proxy_headers.is_from_auth_proxy(came(GATEWAY, X_Forwarded_For=f"{CLIENT}, {PROXY}"))
    assert not proxy_headers.is_from_auth_proxy(came(GATEWAY, X_Forwarded_For=CLIENT))
    assert not proxy_headers.is_from_auth_proxy(came(GATEWAY, X_Forwarded_For=f"{PROXY}, {CLIENT}"))
    assert not proxy_headers.is_from_auth_proxy(came(GATEWAY))
    assert not proxy_headers.is_from_auth_proxy(came(CLIENT, X_Forwarded_For=PROXY))
    # Unless it is one of those that say who asks.
    both = ProxyHeaders(settings(auth_trusted_proxies=f"{PROXY},{GATEWAY}"))
    assert both.is_from_auth_proxy(came(GATEWAY, X_Forwarded_For=CLIENT))


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost", True),
        ("localhost:8080", True),
        ("LOCALHOST.:8080", True),
        ("pastelka.localhost", True),
        ("127.0.0.1:80", True),
        ("127.9.9.9", True),
        ("[::1]:8080", True),
        ("[::ffff:127.0.0.1]", True),
        ("", False),
        ("0.0.0.0", False),  # noqa: S104 - a name, not a binding
        ("[::]", False),
        ("localhost.evil.example", False),
        ("evillocalhost", False),
        ("127.0.0.1.nip.io", False),
        ("2130706433", False),
        ("[::1", False),
        ("192.168.1.2", False),
    ],
)
def test_loopback_host_names_are_recognized(host: str, *, is_ours: bool) -> None:
    assert is_loopback_name(host) is is_ours


@pytest.mark.parametrize(
    ("sent", "refused"),
    [
        ({}, None),
        ({"Origin": "http://studio.example"}, None),
        ({"Origin": "HTTP://Studio.Example"}, None),
        ({"Origin": "http://studio.example:80"}, None),
        ({"Origin": "https://studio.example"}, None),
        ({"Origin": "https://other.example"}, None),
        ({"Origin": "https://other.example", "Sec_Fetch_Site": "cross-site"}, None),
        ({"Sec_Fetch_Site": "same-origin"}, None),
        ({"Sec_Fetch_Site": "none"}, None),
        ({"Origin": "http://other.example"}, "http://other.example"),
        ({"Origin": "http://studio.example:8081"}, "http://studio.example:8081"),
        ({"Origin": "http://studio.example.evil.example"}, "http://studio.example.evil.example"),
        ({"Origin": "http://studio.example@evil.example"}, "http://studio.example@evil.example"),
        ({"Origin": "null"}, "null"),
        ({"Origin": ""}, ""),
        ({"Origin": "http://"}, "http://"),
        ({"Origin": "ftp://studio.example"}, "ftp://studio.example"),
        ({"Origin": "http://studio.example:x"}, "http://studio.example:x"),
        ({"Sec_Fetch_Site": "cross-site"}, "another site (cross-site)"),
        ({"Sec_Fetch_Site": "same-site"}, "another site (same-site)"),
    ],
)
def test_cross_site_origins_are_detected(sent: dict[str, str], refused: str | None) -> None:
    origins = OriginPolicy(settings(allowed_origins="https://other.example"))
    headers = Headers({name.replace("_", "-"): value for name, value in sent.items()})
    client_info = came(GATEWAY, X_Forwarded_Host="studio.example")
    assert origins.cross_site_origin(headers, client_info) == refused


def test_behind_tls_an_http_origin_is_cross_site() -> None:
    client_info = came(GATEWAY, X_Forwarded_Host="studio.example", X_Forwarded_Proto="https")
    origins = OriginPolicy(settings())
    assert origins.cross_site_origin(Headers({"Origin": "https://studio.example"}), client_info) is None
    assert origins.cross_site_origin(Headers({"Origin": "http://studio.example"}), client_info) is not None


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("trusted_proxies", "gateway", "must be addresses or networks"),
        ("auth_trusted_proxies", "10.0.0.1/8", "must be addresses or networks"),
        ("allowed_origins", "studio.example", "must be origins without a path"),
        ("allowed_origins", "https://studio.example/", "must be origins without a path"),
        ("auth_mode", "none", "Input should be 'open', 'password' or 'proxy'"),
        ("auth_proxy_user_header", "X User", "String should match pattern"),
    ],
)
def test_invalid_access_settings_are_rejected(name: str, value: str, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        AccessSettings.model_validate({name: value})


def test_the_reason_for_a_remote_client_is_reported() -> None:
    local: dict[str, Any] = {"Host": "localhost:8080", "X_Forwarded_Host": "localhost:8080"}
    assert came("127.0.0.1", **local).remote_reason is None
    assert came("127.0.0.1", X_Forwarded_For="::1", **local).remote_reason is None
    assert came(CLIENT, **local).remote_reason == f"The address {CLIENT}"
    assert came("127.0.0.1", X_Forwarded_For=CLIENT, **local).remote_reason == f"The address {CLIENT}"
    assert (
        came("127.0.0.1", Host="localhost", X_Forwarded_Host="a.example").remote_reason
        == "The name a.example"
    )
    assert came("127.0.0.1", Host="").remote_reason == "The name (none)"
