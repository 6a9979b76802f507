"""No redirect and no proxy leads to an internal address."""

from typing import Any

import pytest

from pastelka_common.errors import PermanentError
from pastelka_orders.photos.download import Proxy, ProxySettings, proxies_of
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.urls import UrlRules
from services.orders.tests.photos.recorder import (
    ELSEWHERE,
    LOOPBACK,
    Names,
    Recorder,
    refused,
    rules,
    taken_for_public,
)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "[::ffff:127.0.0.1]"])
async def test_no_redirect_reaches_an_internal_address(
    status: int, host: str, inside: Recorder, recorders: Any, intake: PhotoIntake
) -> None:
    site = await recorders()
    site.redirect(f"http://{host}:{inside.port}/photo.jpg", status)
    found = rules(inside, allowed=[f"127.0.0.1:{site.port}"])
    error = await refused(intake, f"http://127.0.0.1:{site.port}/photo.jpg", found)
    assert isinstance(error, PermanentError)
    assert (site.connections, inside.connections) == (1, 0)


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://metadata.google.internal/",
        "http://[fd00:ec2::254]/",
        "http://10.0.0.1/",
        "http://[64:ff9b::7f00:1]/",
        "//127.0.0.1/photo.jpg",
        "\\\\127.0.0.1\\photo.jpg",
        "https://127.0.0.1/photo.jpg",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http://user@127.0.0.1/",
        "http://127.0.0.1:22/",
        "http://%31%32%37.0.0.1/",
    ],
)
async def test_no_redirect_to_a_non_public_url_is_followed(
    target: str, recorders: Any, intake: PhotoIntake
) -> None:
    site = await recorders()
    site.redirect(target)
    names = Names(
        {
            "photos.example": [["127.0.0.1"]],
            "metadata.google.internal": [["169.254.169.254"]],
        },
        {"127.0.0.1": site.port},
    )
    error = await refused(intake, "http://photos.example/a", rules(allowed=["photos.example"]), names)
    assert error.code in {
        "photo_url_refused",
        "photo_address_refused",
        "photo_host_unknown",
        "photo_redirects_too_often",
    }
    if error.code == "photo_redirects_too_often":  # a path on the same host, not another host
        assert all(" /%5C" in one or " /\\" in one or "\\" in one for one in site.requests[1:])
    else:
        assert site.connections == 1


async def test_no_chain_of_redirects_reaches_an_internal_address(
    inside: Recorder, recorders: Any, intake: PhotoIntake
) -> None:
    first, second, third = [await recorders() for _ in range(3)]
    first.redirect(f"http://127.0.0.1:{second.port}/b")
    second.redirect(f"//127.0.0.1:{third.port}/c", 307)
    third.redirect(f"http://127.0.0.1:{inside.port}/d", 308)
    allowed = [f"127.0.0.1:{one.port}" for one in (first, second, third)]
    error = await refused(intake, f"http://127.0.0.1:{first.port}/a", rules(inside, allowed=allowed))
    assert (type(error), error.code) == (PermanentError, "photo_address_refused")
    assert [one.connections for one in (first, second, third, inside)] == [1, 1, 1, 0]


def proxy_at(recorder: Recorder) -> Proxy:
    """The recorder as a proxy."""
    (found,) = proxies_of({"1": ProxySettings.model_validate({"host": "127.0.0.1", "port": recorder.port})})
    return found


@pytest.mark.parametrize("host", [*LOOPBACK, *ELSEWHERE])
async def test_no_proxy_is_contacted_for_a_non_public_address(
    host: str, inside: Recorder, recorders: Any, intake: PhotoIntake
) -> None:
    proxy = await recorders()
    await refused(intake, f"http://{host}/photo.jpg", rules(inside), None, proxy_at(proxy))
    assert (proxy.connections, inside.connections) == (0, 0)


@pytest.mark.parametrize(
    "addresses_by_now", [["127.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["169.254.169.254"], ["fd00:ec2::254"]]
)
async def test_no_proxy_is_contacted_for_a_name_with_a_non_public_address(
    addresses_by_now: list[str],
    recorders: Any,
    intake: PhotoIntake,
    unused_tcp_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The host cannot be reached from here, so a proxy would be asked next."""
    proxy = await recorders()
    taken_for_public(monkeypatch, "127.0.0.2")
    names = Names({"photos.example": [["127.0.0.2"], addresses_by_now]}, {"127.0.0.2": unused_tcp_port})
    error = await refused(intake, "http://photos.example/photo.jpg", UrlRules(), names, proxy_at(proxy))
    assert (type(error), error.code) == (PermanentError, "photo_address_refused")
    assert (proxy.connections, names.asked) == (0, ["photos.example"] * 2)


async def test_a_proxy_is_contacted_for_a_name_with_public_addresses(
    recorders: Any, intake: PhotoIntake, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: it is the address that keeps the proxy from being asked."""
    proxy = await recorders()
    taken_for_public(monkeypatch, "127.0.0.2")
    names = Names({"photos.example": [["127.0.0.2"], ["93.184.215.14"]]}, {"127.0.0.2": unused_tcp_port})
    error = await refused(intake, "http://photos.example/photo.jpg", UrlRules(), names, proxy_at(proxy))
    assert error.code == "photo_empty"
    assert proxy.requests[0].startswith("GET http://photos.example/photo.jpg HTTP/1.1")


async def test_a_redirect_by_a_proxy_to_an_internal_address_is_not_followed(
    inside: Recorder, recorders: Any, intake: PhotoIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, proxy = await recorders(), await recorders()
    site.answer = b"HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    proxy.redirect(f"http://127.0.0.1:{inside.port}/photo.jpg")
    found = rules(inside, allowed=[f"127.0.0.1:{site.port}"])
    error = await refused(intake, f"http://127.0.0.1:{site.port}/photo.jpg", found, None, proxy_at(proxy))
    assert (type(error), error.code) == (PermanentError, "photo_address_refused")
    assert (site.connections, proxy.connections, inside.connections) == (1, 1, 0)
