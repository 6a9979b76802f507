"""No request reaches an internal address, whatever the spelling or the name.

A recorder listens on a port of every loopback address, IPv4 and IPv6. The first test shows that it records
connections; the others that there are none.
"""

from typing import Any

import pytest
from aiohttp.resolver import ResolveResult

from pastelka_common.errors import PermanentError
from pastelka_orders.photos import urls
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

TRICKS = (
    "http://photos.example@127.0.0.1:{port}/",
    "http://photos.example:80@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@photos.example/",
    "http://photos.example\\@127.0.0.1:{port}/",
    "http:\\\\127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/",
    "http://photos.example#@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@photos.example/",
    "http://127.0.0.1:{port}?@photos.example/",
    "http://photos.example /@127.0.0.1:{port}/",
    "http://127.0.0.1\t:{port}/",
    "http://127.0.0.1\r\nHost: photos.example:{port}/",
    "\x01http://127.0.0.1:{port}/",
    " http://127.0.0.1:{port}/ ",
    "HTTP://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_GET%20/",
    "file:///etc/passwd",
    "dict://127.0.0.1:{port}/",
    "ws://127.0.0.1:{port}/",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "//127.0.0.1:{port}/",
    "/etc/passwd",
    "data:image/png;base64,AAAA",
    "http://[127.0.0.1]:{port}/",
    "http://[::1:{port}/",
)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "localhost", "[::1]", "0x7f000001", "0x7f.1"])
async def test_the_recorder_detects_a_connection(host: str, inside: Recorder, intake: PhotoIntake) -> None:
    """The control: what is refused elsewhere does lead to the recorder where it is allowed."""
    found = rules(allowed=[f"{host}:{inside.port}"])
    error = await refused(intake, f"http://{host}:{inside.port}/photo.jpg", found)
    assert error.code == "photo_empty"
    assert inside.connections == 1


@pytest.mark.parametrize("host", LOOPBACK)
async def test_no_spelling_of_this_machine_is_contacted(
    host: str, inside: Recorder, intake: PhotoIntake
) -> None:
    error = await refused(intake, f"http://{host}:{inside.port}/photo.jpg", rules(inside))
    assert isinstance(error, PermanentError) or error.code == "photo_host_unknown"
    assert inside.connections == 0


@pytest.mark.parametrize("host", ELSEWHERE)
async def test_no_address_that_is_not_public_is_contacted(
    host: str, intake: PhotoIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No socket is made at all: there is no machine behind most of these to notice."""
    made: list[str] = []
    monkeypatch.setattr(urls.socket, "socket", lambda *_, **given: made.append(str(given)))
    error = await refused(intake, f"http://{host}/latest/meta-data/", UrlRules())
    assert isinstance(error, PermanentError) or error.code == "photo_host_unknown"
    assert made == []


@pytest.mark.parametrize("trick", TRICKS)
async def test_no_url_trick_reaches_an_internal_address(
    trick: str, inside: Recorder, intake: PhotoIntake
) -> None:
    names = Names({"photos.example": [["203.0.113.1"]]}, {})
    url = trick.replace("{port}", str(inside.port))
    error = await refused(intake, url, rules(inside), names)
    assert error.code in {"photo_url_refused", "photo_address_refused", "photo_host_unknown"}
    assert inside.connections == 0


@pytest.mark.parametrize("port", [1, 22, 25, 3306, 5432, 6379, 8080, 65535])
async def test_other_ports_are_refused(port: int, intake: PhotoIntake) -> None:
    names = Names({"photos.example": [["93.184.215.14"]]}, {})
    error = await refused(intake, f"http://photos.example:{port}/photo.jpg", UrlRules(), names)
    assert (type(error), error.code) == (PermanentError, "photo_url_refused")
    assert names.asked == []


@pytest.mark.parametrize("name", ["metadata.google.internal", "instance-data", "kubernetes.default.svc"])
@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "127.0.0.1", "10.0.0.1", "::1"])
async def test_a_name_that_resolves_to_an_internal_address_is_refused(
    name: str, address: str, inside: Recorder, intake: PhotoIntake
) -> None:
    names = Names({name: [[address]]}, {address: inside.port})
    error = await refused(intake, f"http://{name}/computeMetadata/v1/", rules(inside), names)
    assert (type(error), error.code) == (PermanentError, "photo_address_refused")
    assert address not in error.message
    assert inside.connections == 0


@pytest.mark.parametrize("order", [1, -1])
async def test_the_private_address_of_a_name_with_a_public_one_is_never_contacted(
    order: int, inside: Recorder, recorders: Any, intake: PhotoIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The public one may be used (127.0.0.2 is taken for it here); the other one is not, in any order."""
    outside = await recorders()
    taken_for_public(monkeypatch, "127.0.0.2")
    ports = {"127.0.0.1": inside.port, "127.0.0.2": outside.port}
    names = Names({"photos.example": [sorted(ports)[::order]]}, ports)
    error = await refused(intake, "http://photos.example/photo.jpg", rules(inside), names)
    assert error.code in {"photo_empty", "photo_address_refused"}
    assert inside.connections == 0


async def test_a_name_that_is_rebound_during_a_redirect_is_refused(
    inside: Recorder, recorders: Any, intake: PhotoIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public at the first look, inside at the second."""
    outside = await recorders()
    taken_for_public(monkeypatch, "127.0.0.2")
    outside.redirect("http://photos.example/again")
    ports = {"127.0.0.1": inside.port, "127.0.0.2": outside.port}
    names = Names({"photos.example": [["127.0.0.2"], ["127.0.0.1"]]}, ports)
    error = await refused(intake, "http://photos.example/photo.jpg", rules(inside), names)
    assert (type(error), error.code) == (PermanentError, "photo_address_refused")
    assert (outside.connections, inside.connections) == (1, 0)
    assert names.asked == ["photos.example"] * 2


async def test_a_name_is_looked_up_once_for_a_connection(
    inside: Recorder, recorders: Any, intake: PhotoIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is checked is what is connected to: there is no second look in between."""
    outside = await recorders()
    taken_for_public(monkeypatch, "127.0.0.2")
    ports = {"127.0.0.1": inside.port, "127.0.0.2": outside.port}
    names = Names({"photos.example": [["127.0.0.2"], ["127.0.0.1"]]}, ports)
    error = await refused(intake, "http://photos.example/photo.jpg", rules(inside), names)
    assert error.code == "photo_empty"
    assert (names.asked, outside.connections, inside.connections) == (["photos.example"], 1, 0)


@pytest.mark.parametrize(
    ("host", "is_contacted"),
    [
        ("photos.internal", True),
        ("PHOTOS.internal", True),
        ("evil.photos.internal", False),
        ("photos.internal.example.com", False),
        ("xphotos.internal", False),
        ("photos.interna", False),
        ("internal", False),
    ],
)
async def test_the_allow_list_matches_exact_hosts_only(
    host: str, is_contacted: bool, inside: Recorder, intake: PhotoIntake
) -> None:
    names = Names({host.lower(): [["127.0.0.1"]], host: [["127.0.0.1"]]}, {"127.0.0.1": inside.port})
    error = await refused(intake, f"http://{host}/photo.jpg", rules(allowed=["photos.internal"]), names)
    assert error.code == ("photo_empty" if is_contacted else "photo_address_refused")
    assert inside.connections == int(is_contacted)


async def test_an_allowed_host_is_allowed_on_its_port_only(
    inside: Recorder, recorders: Any, intake: PhotoIntake
) -> None:
    other = await recorders()
    found = rules(other, allowed=[f"127.0.0.1:{inside.port}"])
    error = await refused(intake, f"http://127.0.0.1:{other.port}/photo.jpg", found)
    assert error.code == "photo_address_refused"
    assert other.connections == 0


@pytest.mark.parametrize("alias", ["db.corp.internal", "photos.internal"])
async def test_a_cname_is_checked_by_its_address(alias: str, inside: Recorder, intake: PhotoIntake) -> None:
    """A CNAME may lead to a name that is ours, even to one that is allowed: who was asked for counts."""

    class Aliases(Names):
        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
            found = await super().resolve(host, port, family)
            return [ResolveResult(**{**one, "hostname": alias}) for one in found]

    names = Aliases({"photos.example": [["127.0.0.1"]]}, {"127.0.0.1": inside.port})
    found = rules(inside, allowed=["photos.internal"])
    error = await refused(intake, "http://photos.example/photo.jpg", found, names)
    assert (type(error), error.code) == (PermanentError, "photo_address_refused")
    assert inside.connections == 0
