"""The downloader connects to public addresses only."""

import socket

import pytest
from aiohttp.resolver import ResolveResult

from pastelka_common.errors import JobError, PermanentError, TransientError
from pastelka_orders.photos import urls
from pastelka_orders.photos.download import PhotoDownloader
from pastelka_orders.photos.urls import UrlRules
from services.orders.tests.photos.photo_site import Names, failure, redirect


@pytest.fixture
async def guarded(internal_site, intake):
    """May fetch from any port, as long as the address is public."""
    async with PhotoDownloader(intake, rules=UrlRules(ports=[80, internal_site.port])) as running:
        yield running


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "0",
        "0.0.0.0",  # noqa: S104 - to be refused
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "\uff11\uff12\uff17.0.0.1",  # wide digits
    ],
)
async def test_internal_addresses_are_never_contacted(host, internal_site, guarded):
    error = await failure(guarded, internal_site.url(host=host))
    assert isinstance(error, PermanentError) or error.code == "photo_host_unknown"
    assert internal_site.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f000001", "169.254.169.254"])
async def test_a_refused_address_is_reported_as_such(host, internal_site, guarded):
    error = await failure(guarded, internal_site.url(host=host))
    assert (type(error), error.code) == (PermanentError, "photo_address_refused")
    assert "public" in error.message


async def test_allowed_internal_addresses_are_reachable(internal_site, intake, jpeg):
    """The counterpart of the refusals: the same addresses do lead to the server."""
    internal_site.answer_with(jpeg)
    hosts = ["127.0.0.1", "localhost", "0x7f000001", "0x7f.1"]
    rules = UrlRules(allowed_hosts=[f"{host}:{internal_site.port}" for host in hosts])
    async with PhotoDownloader(intake, rules=rules) as downloader:
        for host in hosts:
            assert (await downloader.download(internal_site.url(host=host))).content == jpeg
    assert internal_site.connections == len(hosts)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "[::ffff:7f00:1]", "169.254.169.254"]
)
async def test_a_redirect_to_an_internal_address_is_refused(host, site, internal_site, intake):
    site.answer = redirect(internal_site.url(host=host))
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{site.port}"], ports=[80, internal_site.port])
    async with PhotoDownloader(intake, rules=rules) as downloader:
        error = await failure(downloader, site.url())
    assert isinstance(error, PermanentError)
    assert error.code in {"photo_address_refused", "photo_url_refused"}
    assert (site.connections, internal_site.connections) == (1, 0)


@pytest.mark.parametrize("target", ["ftp://example.com/", "file:///etc/passwd", "http://example.com:22/"])
async def test_a_redirect_to_a_non_http_url_or_other_port_is_refused(target, site, downloader):
    site.answer = redirect(target)
    assert (await failure(downloader, site.url())).code == "photo_url_refused"


async def test_a_name_that_resolves_to_an_internal_address_is_refused(internal_site, intake):
    names = Names([("127.0.0.1", internal_site.port)])
    async with PhotoDownloader(intake, resolver=names) as downloader:
        error = await failure(downloader, "http://photos.example/a.jpg")
    assert (type(error), error.code) == (PermanentError, "photo_address_refused")
    assert internal_site.connections == 0


async def test_a_name_with_several_internal_addresses_is_refused(internal_site, intake):
    names = Names([("127.0.0.1", internal_site.port), ("::1", internal_site.port), ("10.0.0.1", 80)])
    async with PhotoDownloader(intake, resolver=names) as downloader:
        error = await failure(downloader, "http://photos.example/a.jpg")
    assert (type(error), error.code) == (PermanentError, "photo_address_refused")
    assert internal_site.connections == 0


async def test_a_name_that_changes_its_address_is_refused(site, internal_site, intake, monkeypatch):
    """The name leads to a good address first, and inside when it is connected to again (DNS rebinding)."""
    verdicts = iter([True, False])
    monkeypatch.setattr(urls, "is_public", lambda address: next(verdicts))
    site.answer = redirect("http://photos.example/again")
    names = Names([("127.0.0.1", site.port)], [("127.0.0.1", internal_site.port)])
    async with PhotoDownloader(intake, resolver=names) as downloader:
        error = await failure(downloader, "http://photos.example/a.jpg")
    assert (type(error), error.code) == (PermanentError, "photo_address_refused")
    assert (site.connections, internal_site.connections) == (1, 0)
    assert names.answers == []


async def test_an_unknown_host_is_a_transient_error(intake):
    class NoNames(Names):
        async def resolve(self, host: str, port: int = 0, family=socket.AF_INET) -> list[ResolveResult]:
            raise OSError(None, "no such name")

    async with PhotoDownloader(intake, resolver=NoNames()) as downloader:
        error = await failure(downloader, "http://photos.example/a.jpg")
    assert (type(error), error.code) == (TransientError, "photo_host_unknown")


@pytest.mark.parametrize("host", ["a..b", "a" * 70, "-", "xn--a"])
async def test_malformed_host_names_are_reported_as_job_errors(host, downloader):
    assert isinstance(await failure(downloader, f"http://{host}/a.jpg"), JobError)
