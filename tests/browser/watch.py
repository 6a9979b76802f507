"""Records errors of a page (console, exceptions, failed requests) and its requests without a response."""

import re
from collections.abc import Sequence

from playwright.async_api import ConsoleMessage, Page, Request, Response

_ABORTED = "net::ERR_ABORTED"
"""The page itself aborted the request: it navigated away, or a newer request replaced it."""
_FIRST_FAILURE = 400
_LAST_OF_OPENING = re.compile(r"/orders\?limit=200.*stage=to_review")
"""The last request of the tab that opens the stream, a second after it: the orders that need a person."""
_LOADING_FAILED = "Failed to load resource"

# Chromium reports a violation to the console in its own words; this names the directive and the address.
REPORT_VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP violation: ${event.violatedDirective} ${event.blockedURI}`));"""


class Watch:
    """Keeps a page's console and its unannounced errors."""

    def __init__(self, page: Page) -> None:
        self.console: list[str] = []
        self.troubles: list[str] = []
        self.unanswered: set[Request] = set()
        """Requests to the API that have no response yet."""
        self.is_opened = False
        """Whether the page has what it fetches when its stream opens."""
        self._announced: list[re.Pattern[str]] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._trouble(f"exception: {error.stack or error.message}"))
        page.on("crash", lambda _: self._trouble("the page crashed"))
        page.on("request", self._on_request)
        page.on("requestfinished", self._on_answered)
        page.on("requestfailed", self._on_failed)
        page.on("response", self._on_response)

    def announce(self, *patterns: str) -> None:
        """Accept errors that match (``re.search``) in this test."""
        self._announced += [re.compile(pattern) for pattern in patterns]

    def unannounced(self) -> Sequence[str]:
        """The errors that the test has not announced."""
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
        # A failed request is reported by its own event.
        if message.type in {"error", "assert"} and not message.text.startswith(_LOADING_FAILED):
            self._trouble(text)
        else:
            self.console.append(text)

    def _on_request(self, request: Request) -> None:
        if request.is_navigation_request():
            self.is_opened = False
        elif "/api/" in request.url:
            self.unanswered.add(request)

    def _on_answered(self, request: Request) -> None:
        self.unanswered.discard(request)
        if _LAST_OF_OPENING.search(request.url):
            self.is_opened = True

    def _on_failed(self, request: Request) -> None:
        self._on_answered(request)
        if request.failure != _ABORTED:
            self._trouble(f"request failed: {request.method} {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= _FIRST_FAILURE:
            request = response.request
            self._trouble(f"request failed: {request.method} {request.url}: {response.status}")
