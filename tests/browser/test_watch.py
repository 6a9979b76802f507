"""Errors of a page are recorded."""

import pytest
from playwright.async_api import expect

from tests.browser.visitor import Visitor

TROUBLES = {
    "console": ("console.error('something odd')", r"console\.error: something odd"),
    "exception": (
        "setTimeout(() => { throw new Error('thrown outside any caller') })",
        "exception: .*thrown outside any caller",
    ),
    "rejection": ("void Promise.reject(new Error('not awaited'))", "exception: .*not awaited"),
    "missing file": (
        "void (new Image().src = '/static/images/none.png')",
        r"request failed: .*none\.png: 404",
    ),
    "no server": (
        "void (new Image().src = '/no-server.png')",
        "request failed: .*ERR_CONNECTION_REFUSED",
    ),
    "policy": (
        "void (new Image().src = 'http://localhost:9/x.png')",
        "CSP violation: img-src http://localhost:9/x.png",
    ),
    "script": (
        "try { document.createElement('script').src = '/theme.js' } catch { /* blocked */ }",
        "This document requires 'TrustedScriptURL' assignment",
    ),
}


@pytest.mark.parametrize("kind", TROUBLES)
async def test_errors_of_a_page_are_recorded(visitor: Visitor, kind: str) -> None:
    script, expected = TROUBLES[kind]
    await visitor.page.route("**/no-server.png", lambda route: route.abort("connectionrefused"))
    await visitor.open()
    await visitor.until_light("live")
    assert visitor.watch.unannounced() == []
    await visitor.page.evaluate(f"() => {{ {script} }}")

    async def seen() -> bool:
        return bool(visitor.watch.unannounced())

    await visitor.until(seen)
    visitor.watch.announce(expected)
    # Chromium also reports a violation in its own words.
    visitor.watch.announce("violates the following Content Security Policy", "request failed: .*x.png: csp")
    visitor.watch.announce("CSP violation: require-trusted-types-for")
    assert visitor.watch.unannounced() == []
    assert any(line.startswith("console.") for line in visitor.watch.console) or kind != "console"


async def test_a_request_aborted_by_the_page_is_not_an_error(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.until_light("live")
    await visitor.page.evaluate(
        "() => { const c = new AbortController(); fetch('/healthz', c).catch(() => 0); c.abort(); }"
    )
    await visitor.open("/?q=anyname")
    await expect(visitor.page.get_by_role("textbox")).to_have_value("anyname")
    assert visitor.watch.unannounced() == []
