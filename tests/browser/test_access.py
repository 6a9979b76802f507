"""Access to pushes and files in a real browser: recipients, lifetimes, and restrictions of files."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from libs.common.tests.servers.fake_api import FakeApi, serving
from pastelka_common.testing.plugin import StartNginx
from pastelka_common.testing.waiting import until
from tests.browser.conftest import Arrive
from tests.browser.orders import images_of, statuses
from tests.browser.short_lived_gateway import (
    COOKIE_SECONDS,
    COSTLY_BURST,
    PASSWORD,
    ShortLivedGateway,
    start_short_lived_gateway,
)
from tests.browser.visitor import DisplayOptions, Visitor, arrive
from tests.system import System

HUB = "/.well-known/mercure"

# Records the ids of all updates of the page's streams, and counts the streams.
_HEARING = """{
  const Real = EventSource;
  window.__heard = [];
  window.__streams = [];
  window.EventSource = class extends Real {
    constructor(...args) {
      super(...args);
      window.__streams.push(this);
      this.addEventListener("message", (message) => window.__heard.push(message.lastEventId));
    }
  };
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def short_lived_gateway(
    system: System, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ShortLivedGateway]:
    async with start_short_lived_gateway(system, tmp_path_factory.mktemp("short-lived-gateway")) as gateway:
        yield gateway


@pytest_asyncio.fixture(loop_scope="session")
async def guest(
    chromium: Browser, short_lived_gateway: ShortLivedGateway, tmp_path: Path
) -> AsyncIterator[Visitor]:
    """A visitor at the protected gateway who has not signed in yet."""
    visitor = await arrive(chromium, short_lived_gateway.url, "guest", DisplayOptions())
    visitor.watch.announce(r"/api/v1/(orders|presets|queues|system).*: 401")
    await visitor.context.add_init_script(_HEARING)
    yield visitor
    troubles = visitor.watch.unannounced()
    if troubles:
        await visitor.save_screenshot(tmp_path)
    await visitor.context.close()
    assert troubles == []


async def sign_in(visitor: Visitor, short_lived_gateway: ShortLivedGateway, name: str, path: str) -> None:
    """Open a page as a new user; returns when it is live."""
    await short_lived_gateway.add_user(name)
    await visitor.open(path)
    await visitor.page.get_by_label("Jméno").fill(name)
    await visitor.page.get_by_label("Heslo").fill(PASSWORD)
    await visitor.page.get_by_label("Heslo").press("Enter")
    await visitor.until_light("live")


async def publish(system: System, number: int) -> str:
    """Publish one update that concerns no order on screen; returns its id."""
    hub, update_id = system.stack.hub, f"urn:pastelka:test:{number}"
    claims = {"mercure": {"publish": ["orders"]}}
    token = jwt.encode(claims, hub.publisher_key, algorithm="HS256")
    data = json.dumps({"type": "image_status", "order_number": "elsewhere", "image_id": 1})
    form = {"topic": "orders", "data": data, "private": "on", "id": update_id}
    async with system.http.post(hub.url, data=form, headers={"Authorization": f"Bearer {token}"}) as response:
        assert response.status == 200
    return update_id


async def test_the_event_stream_outlives_its_cookies_without_a_gap(
    guest: Visitor, short_lived_gateway: ShortLivedGateway, system: System
) -> None:
    order = await system.order(1, first_seed=900)
    number, image = order["order_number"], images_of(order)[0]["id"]
    await sign_in(guest, short_lived_gateway, "renewing", f"/orders/{number}")
    loaded = await guest.loaded()
    published = []
    ends = time.monotonic() + 1.6 * COOKIE_SECONDS
    while time.monotonic() < ends:
        published.append(await publish(system, len(published)))
        await asyncio.sleep(0.2)  # several updates during each replacement of a stream

    async def all_heard() -> bool:
        return set(published) <= set(await guest.page.evaluate("window.__heard"))

    assert await until(all_heard, 20)

    async def one_is_open() -> bool:
        states = await guest.page.evaluate("window.__streams.map((stream) => stream.readyState)")
        return len(states) >= 3 and sorted(states) == [1] + [2] * (len(states) - 1)

    # The page itself closes the others once a new one is open.
    assert await until(one_is_open, 20)
    lights = [light["state"] for light in await guest.lights()]
    assert lights[lights.index("live") :] == ["live"]
    await system.post(f"/images/{image}/generate-coloring")

    async def matches_the_api() -> bool:
        shown = await guest.badges()
        return bool(shown) and shown == await statuses(system, number)

    assert await until(matches_the_api, 30)
    assert await guest.loaded() == loaded


async def test_a_deleted_user_receives_no_pushes_and_no_files(
    guest: Visitor, short_lived_gateway: ShortLivedGateway, system: System
) -> None:
    order = await system.order(1, first_seed=910)
    await sign_in(guest, short_lived_gateway, "leaving", f"/orders/{order['order_number']}")
    kept = {
        cookie["name"]: cookie["value"]
        for cookie in await guest.context.cookies([f"{short_lived_gateway.url}{HUB}"])
    }
    file = images_of(await system.get(f"/orders/{order['order_number']}"))[0]["url"]
    file = f"{short_lived_gateway.gateway.static_url}{file.split('/static')[1]}"
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())}
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout) as http:
        async with http.get(f"{short_lived_gateway.url}{HUB}?topic=orders", headers=cookies) as stream:
            assert stream.status == 200
            async with http.get(file, headers=cookies) as response:
                assert response.status == 200
            removed = time.monotonic()
            await short_lived_gateway.remove_user("leaving")
            # With the browser's cookies, in a client that ignores the page's rules.
            async with asyncio.timeout(2 * COOKIE_SECONDS):
                await stream.content.read()
            assert time.monotonic() - removed <= COOKIE_SECONDS + 5

        async def refused() -> bool:
            async with http.get(f"{short_lived_gateway.url}{HUB}?topic=orders", headers=cookies) as again:
                return again.status == 401

        assert await until(refused, COOKIE_SECONDS)
        async with http.get(file, headers=cookies) as response:
            assert response.status == 401
    # The page itself has closed as well.
    await expect(guest.page.get_by_label("Heslo")).to_be_visible()
    streams = await guest.page.evaluate("window.__streams.map((stream) => stream.readyState)")
    assert set(streams) == {2}
    assert HUB not in str(await guest.context.cookies())


async def test_images_on_the_file_port_require_a_session(
    guest: Visitor, short_lived_gateway: ShortLivedGateway, system: System
) -> None:
    order = await system.order(2, first_seed=920)
    await sign_in(guest, short_lived_gateway, "looking", f"/orders/{order['order_number']}")
    pictures = guest.page.locator("article img")
    await expect(pictures).to_have_count(2)

    async def shown() -> bool:
        return bool(await pictures.evaluate_all("(all) => all.every((one) => one.naturalWidth > 0)"))

    assert await until(shown, 20)
    sources: list[str] = await pictures.evaluate_all("(all) => all.map((one) => one.currentSrc)")
    assert {source.split("/images/")[0] for source in sources} == {short_lived_gateway.gateway.static_url}
    await guest.context.clear_cookies()
    for source in sources:
        async with system.http.get(source) as response:
            assert response.status == 401


async def test_rate_limiting_shows_a_message(
    guest: Visitor, short_lived_gateway: ShortLivedGateway, system: System
) -> None:
    order = await system.order(1, first_seed=930)
    await sign_in(guest, short_lived_gateway, "hurried", f"/orders/{order['order_number']}")
    guest.watch.announce(r"/generate-coloring: 429")
    tried: list[int] = await guest.page.evaluate(
        """(path) => Promise.all(Array.from({ length: 8 }, () =>
          fetch(path, { method: "POST" }).then((response) => response.status)))""",
        f"/api/v1/orders/{order['order_number']}/generate-svg-of-nothing/retry",
    )
    guest.watch.announce(r"generate-svg-of-nothing")
    assert tried.count(429) == 8 - 1 - COSTLY_BURST
    card = guest.card(images_of(order)[0]["id"])
    await card.get_by_role("button", name="Vygenerovat omalovánku").click()
    await expect(guest.page.get_by_text("Příliš mnoho požadavků")).to_be_visible()


# --- files with active content ------------------------------------------------------------------

_EVIL = """<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400"
     onload="fetch('{there}/onload')">
  <style>@import url({there}/import.css); circle {{ fill: url({there}/paint.svg#p) }}
    rect {{ background: url({there}/background.png); cursor: url({there}/cursor.png), auto }}</style>
  <script>fetch("{there}/script"); document.documentElement.setAttribute("data-ran", "yes");</script>
  <script href="{there}/script.js"/>
  <circle r="50"/>
  <image href="{there}/image.png" width="10" height="10" onerror="fetch('{there}/onerror')"/>
  <use href="{there}/use.svg#a"/>
  <animate attributeName="x" dur="0.1s" onbegin="fetch('{there}/onbegin')"/>
  <foreignObject width="300" height="300">
    <div xmlns="http://www.w3.org/1999/xhtml">
      <img src="{there}/foreign.png" onerror="fetch('{there}/foreign-onerror')"/>
      <iframe src="{there}/frame"></iframe>
      <form action="{there}/form" method="get"><input name="a" autofocus="autofocus"
        onfocus="fetch('{there}/onfocus')"/></form>
      <script>fetch("{there}/foreign-script")</script>
      <video src="{there}/video.mp4" autoplay="autoplay"></video>
      <object data="{there}/object"></object>
    </div>
  </foreignObject>
</svg>"""
_PAGE = """<!doctype html><title>a page</title><body onload="fetch('{there}/onload')">
<script>fetch("{there}/script"); document.documentElement.setAttribute("data-ran", "yes");</script>
<img src="{there}/image.png" onerror="fetch('{there}/onerror')"><iframe src="{there}/frame"></iframe>
<link rel="stylesheet" href="{there}/style.css"><meta http-equiv="refresh" content="0;url={there}/refresh">"""


class _Elsewhere:
    """A server of another site that records its requests."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.add(request.path)
        return web.Response(text="", headers={"Access-Control-Allow-Origin": "*"})


_KINDS = {
    "evil.svg": ("image/svg+xml", _EVIL),
    "evil.html": ("text/html", _PAGE),
    "evil.jpg": ("image/jpeg", _PAGE),
}


@pytest.mark.parametrize("name", _KINDS)
async def test_a_stored_file_neither_runs_scripts_nor_loads_resources(
    chromium: Browser, nginx_server: StartNginx, tmp_path: Path, name: str
) -> None:
    elsewhere = _Elsewhere()
    kind, content = _KINDS[name]
    async with serving(elsewhere.answer) as there, serving(FakeApi().answer) as api:
        file = content.format(there=there)
        (tmp_path / "stored").mkdir()
        (tmp_path / "stored" / name).write_text(file)
        server = await nginx_server(storage=tmp_path / "stored", api_url=api)
        context = await chromium.new_context()
        page = await context.new_page()
        try:
            for base in (f"http://localhost:{server.port}/static", server.static_url):
                assert await _open(page, f"{base}/images/{name}") is False
                assert page.url == f"{base}/images/{name}"
            assert elsewhere.asked == set()
            # Without the gateway's headers the same file does all of it, so the test can fail.
            if name != "evil.jpg":
                await _bare(page, file, kind)
                assert {"/script", "/onload", "/image.png", "/frame"} <= await _asked(elsewhere)
        finally:
            await context.close()


async def _open(page: Page, url: str) -> bool:
    """Whether a script of the file ran, after all its requests have finished."""
    await page.goto(url, wait_until="load")
    await page.wait_for_load_state("networkidle")
    return await page.locator("[data-ran]").count() > 0


async def _bare(page: Page, file: str, kind: str) -> None:
    async def plain(_request: web.Request) -> web.Response:
        return web.Response(text=file, content_type=kind)

    async with serving(plain) as origin:
        await page.goto(f"{origin}/file")
        await page.wait_for_load_state("networkidle")


async def _asked(elsewhere: _Elsewhere) -> set[str]:
    await until(lambda: {"/script", "/onload", "/image.png", "/frame"} <= elsewhere.asked, 10)
    return elsewhere.asked


async def test_other_sites_cannot_embed_images(
    chromium: Browser, nginx_server: StartNginx, tmp_path: Path, visit: Arrive
) -> None:
    """Even with anonymous access other sites may not embed images: they would learn whose photos are here."""
    picture = tmp_path / "stored" / "a.svg"
    picture.parent.mkdir()
    picture.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>')
    async with serving(FakeApi().answer) as api:
        server = await nginx_server(storage=picture.parent, api_url=api)
        source = f"{server.static_url}/images/a.svg"

        async def show(_request: web.Request) -> web.Response:
            return web.Response(text=f'<!doctype html><img src="{source}">', content_type="text/html")

        async with serving(show) as origin:
            context = await chromium.new_context()
            page = await context.new_page()
            seen: dict[str, Any] = {}
            for site in (origin, origin.replace("127.0.0.1", "localhost")):
                await page.goto(site, wait_until="load")
                seen[site.split("//")[1].split(":")[0]] = await page.locator("img").evaluate(
                    "(one) => one.naturalWidth"
                )
            await context.close()
    assert seen == {"127.0.0.1": 0, "localhost": 10}
