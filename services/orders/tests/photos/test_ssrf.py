"""No request goes inside: every spelling, redirect and name, with something that would notice one.

The recorder listens on a port of every loopback address, IPv4 and IPv6. The first tests show that it
notices; the others that it does not have to.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ResolveResult

from pastelka_common.errors import JobError, PermanentError
from pastelka_orders.photos import urls
from pastelka_orders.photos.download import PhotoDownloader, Proxy, ProxySettings, proxies_of
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.urls import UrlRules


@dataclass
class Recorder:
    """Listens on ``port`` of all addresses of this machine; ``answer`` is what it says to everybody."""

    answer: bytes = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    connections: int = 0
    requests: list[str] = field(default_factory=list)
    port: int = 0

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self.answer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client sent nothing
        finally:
            writer.close()

    def redirect(self, target: str, status: int = 302) -> None:
        self.answer = (
            f"HTTP/1.1 {status} X\r\nLocation: {target}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        ).encode()


@asynccontextmanager
async def listening(recorder: Recorder) -> AsyncIterator[Recorder]:
    """On 0.0.0.0 and :: alike, so that no spelling of this machine goes unheard."""
    with socket.socket(socket.AF_INET6) as both:
        both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        both.bind(("::", 0))
        recorder.port = both.getsockname()[1]
        async with await asyncio.start_server(recorder.hear, sock=both):
            yield recorder


@pytest_asyncio.fixture(loop_scope="session")
async def recorders() -> AsyncIterator[Any]:
    """Starts recorders."""
    async with AsyncExitStack() as stack:

        async def start() -> Recorder:
            return await stack.enter_async_context(listening(Recorder()))

        yield start


@pytest_asyncio.fixture(loop_scope="session")
async def inside(recorders: Any) -> Recorder:
    """What must never be contacted."""
    found: Recorder = await recorders()
    return found


class Names(AbstractResolver):
    """A stranger's name server: for each name a list of answers, each a list of addresses; the last stays."""

    def __init__(self, answers: Mapping[str, Sequence[Sequence[str]]], ports: Mapping[str, int]) -> None:
        self.answers = {name: list(given) for name, given in answers.items()}
        self.ports = dict(ports)
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        self.asked.append(host)
        given = self.answers.get(host)
        if not given:
            raise OSError(None, "no such name")
        found = given.pop(0) if len(given) > 1 else given[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=self.ports.get(address, port),
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        return None


LOOPBACK = (
    "127.0.0.1",
    "127.8.9.10",
    "127.0.0.1.",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "2130706433",
    "0x7f000001",
    "0X7F000001",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "017700000001",
    "127.1",
    "127.0.1",
    "0",
    "0.0.0.0",  # noqa: S104 - to be refused
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:0:0]",
    "[::127.0.0.1]",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "l%6fcalhost",
    "\uff11\uff12\uff17.0.0.1",
    "\u2460\u2461\u2466.0.0.1",
    "127\u30020\u30020\u30021",
    "\uff4cocalhost",
)
ELSEWHERE = (
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.1.1",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "198.18.0.1",
    "[fd00:ec2::254]",
    "[fc00::1]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fe80::1%lo]",
    "[::1%25lo]",
    "[fec0::1]",
    "[ff02::1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:7f00:1::]",
    "[2001:db8::1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:10.0.0.1]",
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


def rules(*recorders: Recorder, allowed: Sequence[str] = ()) -> UrlRules:
    """Any host may be asked at the recorders' ports, as long as its address is public."""
    return UrlRules(allowed_hosts=allowed, ports=[80, 443, *(one.port for one in recorders)])


async def refused(
    intake: PhotoIntake, url: str, found: UrlRules, names: Names | None = None, *proxies: Proxy
) -> JobError:
    """Why ``url`` was not fetched."""
    async with PhotoDownloader(
        intake, rules=found, resolver=names, proxies=proxies, timeout=10, stall=5
    ) as downloader:
        with pytest.raises(JobError) as caught:
            await downloader.download(url)
    return caught.value


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "localhost", "[::1]", "0x7f000001", "0x7f.1"])
async def test_the_recorder_notices(host: str, inside: Recorder, intake: PhotoIntake) -> None:
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
async def test_no_trick_with_the_url_leads_inside(trick: str, inside: Recorder, intake: PhotoIntake) -> None:
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
async def test_a_name_that_leads_inside_is_refused(
    name: str, address: str, inside: Recorder, intake: PhotoIntake
) -> None:
    names = Names({name: [[address]]}, {address: inside.port})
    error = await refused(intake, f"http://{name}/computeMetadata/v1/", rules(inside), names)
    assert (type(error), error.code) == (PermanentError, "photo_address_refused")
    assert address not in error.message
    assert inside.connections == 0


@pytest.mark.parametrize("order", [1, -1])
async def test_a_name_with_one_public_and_one_private_address_never_leads_inside(
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


def taken_for_public(monkeypatch: pytest.MonkeyPatch, *wanted: str) -> None:
    """There is no internet here: these loopback addresses stand for public ones."""
    really = urls.is_public
    monkeypatch.setattr(urls, "is_public", lambda address: address in wanted or really(address))


async def test_a_name_that_changes_its_address_on_the_way_is_refused(
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


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "[::ffff:127.0.0.1]"])
async def test_no_redirect_leads_inside(
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
async def test_no_redirect_leads_to_what_is_not_public(
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


async def test_no_chain_of_redirects_leads_inside(
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
async def test_the_allow_list_is_for_exactly_its_hosts(
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


def proxy_at(recorder: Recorder) -> Proxy:
    """The recorder as a proxy."""
    (found,) = proxies_of({"1": ProxySettings.model_validate({"host": "127.0.0.1", "port": recorder.port})})
    return found


@pytest.mark.parametrize("host", [*LOOPBACK, *ELSEWHERE])
async def test_no_proxy_hears_of_an_address_that_is_not_public(
    host: str, inside: Recorder, recorders: Any, intake: PhotoIntake
) -> None:
    proxy = await recorders()
    await refused(intake, f"http://{host}/photo.jpg", rules(inside), None, proxy_at(proxy))
    assert (proxy.connections, inside.connections) == (0, 0)


@pytest.mark.parametrize(
    "addresses_by_now", [["127.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["169.254.169.254"], ["fd00:ec2::254"]]
)
async def test_no_proxy_hears_of_a_name_with_an_address_that_is_not_public(
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


async def test_a_proxy_hears_of_a_name_with_public_addresses(
    recorders: Any, intake: PhotoIntake, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: it is the address that keeps the proxy from being asked."""
    proxy = await recorders()
    taken_for_public(monkeypatch, "127.0.0.2")
    names = Names({"photos.example": [["127.0.0.2"], ["93.184.215.14"]]}, {"127.0.0.2": unused_tcp_port})
    error = await refused(intake, "http://photos.example/photo.jpg", UrlRules(), names, proxy_at(proxy))
    assert error.code == "photo_empty"
    assert proxy.requests[0].startswith("GET http://photos.example/photo.jpg HTTP/1.1")


@pytest.mark.parametrize("alias", ["db.corp.internal", "photos.internal"])
async def test_an_alias_is_judged_by_its_address(alias: str, inside: Recorder, intake: PhotoIntake) -> None:
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


async def test_a_proxys_redirect_inside_is_not_followed(
    inside: Recorder, recorders: Any, intake: PhotoIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, proxy = await recorders(), await recorders()
    site.answer = b"HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    proxy.redirect(f"http://127.0.0.1:{inside.port}/photo.jpg")
    found = rules(inside, allowed=[f"127.0.0.1:{site.port}"])
    error = await refused(intake, f"http://127.0.0.1:{site.port}/photo.jpg", found, None, proxy_at(proxy))
    assert (type(error), error.code) == (PermanentError, "photo_address_refused")
    assert (site.connections, proxy.connections, inside.connections) == (1, 1, 0)
