"""What goes wrong in a page while a test looks elsewhere: console errors, exceptions, failed requests."""

import re
from collections.abc import Sequence

from playwright.async_api import ConsoleMessage, Page, Request, Response

_ABORTED = "net::ERR_ABORTED"
"""The page itself took the request back: it went elsewhere, or something newer made it needless."""
_FIRST_FAILURE = 400
_LOADING_FAILED = "Failed to load resource"

# Chromium reports a violation to the console in words of its own; this names the directive and the address.
REPORT_VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP violation: ${event.violatedDirective} ${event.blockedURI}`));"""


class Watch:
    """Keeps a page's console, and what of it no test has announced."""

    def __init__(self, page: Page) -> None:
        self.console: list[str] = []
        self.troubles: list[str] = []
        self._announced: list[re.Pattern[str]] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._trouble(f"exception: {error.stack or error.message}"))
        page.on("crash", lambda _: self._trouble("the page crashed"))
        page.on("requestfailed", self._on_failed)
        page.on("response", self._on_response)

    def announce(self, *patterns: str) -> None:
        """Say that troubles which match (``re.search``) belong to the test."""
        self._announced += [re.compile(pattern) for pattern in patterns]

    def unannounced(self) -> Sequence[str]:
        """The troubles that no test has announced."""
        return [
            trouble
            for trouble in self.troubles
            if not any(pattern.search(trouble) for pattern in self._announced)
        ]

    def _trouble(self, text: str) -> None:
        self.console.append(text)
        self.troubles.append(text)

    def _on_console(self, message: ConsoleMessage) -> None:
        text = f"console.{message.type}: {message.text} ({message.location['url']})"
        # Of a request that failed, the request itself tells more.
        if message.type in {"error", "assert"} and not message.text.startswith(_LOADING_FAILED):
            self._trouble(text)
        else:
            self.console.append(text)

    def _on_failed(self, request: Request) -> None:
        if request.failure != _ABORTED:
            self._trouble(f"request failed: {request.method} {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= _FIRST_FAILURE:
            request = response.request
            self._trouble(f"request failed: {request.method} {request.url}: {response.status}")
