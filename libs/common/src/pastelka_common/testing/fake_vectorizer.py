"""A fake Vectorizer.ai: its HTTP API, with failures on demand.

``python -m pastelka_common.testing.fake_vectorizer --port 9998`` or, in a test::

    async with FakeVectorizer() as fake:
        fake.fail("429", "drop")        # the next two requests
        provider = VectorizerProvider(base_url=fake.base_url, ...)

``POST /_control`` with ``{"fail": [...], "duration": 0.5}`` does the same from another process (``{"reset":
true}`` clears failures and counts), ``GET /_stats`` returns ``{"requests": n, "in_progress": n, "cut_off": n,
"by_image": {sha256: n}}``.
"""

import argparse
import asyncio
import base64
import hashlib
import json
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import BodyPartReader, web

from pastelka_common.testing.wire import Wire

Failure = str | int
"""An HTTP status, or ``drop`` (connection cut), ``hang`` (never answers), ``garbage`` (200, no SVG),
``truncated`` (200, half an SVG), ``huge`` (200, endless), ``stray 404`` (a proxy's page with that status)."""

FORMATS = {"svg", "eps", "pdf", "dxf", "png"}
CHOICES: Mapping[str, set[str]] = {
    "output.file_format": FORMATS,
    "output.shape_stacking": {"cutouts", "stacked"},
    "output.group_by": {"none", "color", "parent", "layer"},
    "output.parameterized_shapes.flatten": {"true", "false"},
}
MESSAGES: Mapping[int, tuple[int, str]] = {
    400: (1006, "Failed to read the supplied image."),
    401: (1004, "The provided API Secret is incorrect"),
    402: (1011, "Sorry, you're out of credits. Please upgrade your subscription or renew your plan early."),
    413: (1012, "Image byte size too large, max: 31,457,280 bytes"),
    429: (1015, "Slow down, see https://vectorizer.ai/api#rate-limiting for how to handle this situation."),
    503: (-3, "Workers overloaded. Additional workers are being spawned."),
}
MAX_UPLOAD = 31_457_280
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass
class Seen:
    """One received request: its ``fields``, and the image's name, type and bytes."""

    fields: dict[str, str] = field(default_factory=dict)
    image: bytes | None = None
    filename: str | None = None
    content_type: str | None = None


class RefusalError(Exception):
    """The request gets an error response: HTTP ``status``, the API's own ``code`` and ``message``."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class FakeVectorizer:
    """The server. ``duration`` (seconds) is how long a vectorization takes."""

    def __init__(
        self,
        *,
        api_key: str = "vk-test",
        api_secret: str = "secret-test",  # noqa: S107 (the fake's own)
        duration: float = 0.0,
        port: int = 0,
        retry_after: str | None = None,
    ) -> None:
        self.api_key = api_key
        self.api_secret = api_secret
        self.duration = duration
        self.retry_after = retry_after
        self.wire = Wire()
        self.requests: list[Seen] = []
        self.in_progress = 0
        self.cut_off = 0
        self.changed = asyncio.Condition()
        self._free = asyncio.Event()
        self._free.set()
        self._keep_requests = True
        self._by_image: Counter[str] = Counter()
        self._count = 0
        self._failures: deque[Failure] = deque()
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        """Value for ``VECTORIZER_BASE_URL``."""
        return f"http://127.0.0.1:{self._port}/api/v1"

    def fail(self, *failures: Failure) -> None:
        """Make the next requests fail, one failure each."""
        self._failures.extend(failures)

    def hold(self) -> None:
        """Hold back all responses, including failures, until :meth:`release`."""
        self._free.clear()

    def release(self) -> None:
        """Send held responses, and the next ones at once."""
        self._free.set()

    def stats(self) -> dict[str, Any]:
        """The response of ``GET /_stats``."""
        return {
            "requests": self._count,
            "in_progress": self.in_progress,
            "cut_off": self.cut_off,
            "by_image": dict(self._by_image),
        }

    def app(self) -> web.Application:
        """The application: the API, ``/_control`` and ``/_stats``."""
        app = web.Application(client_max_size=2 * MAX_UPLOAD, middlewares=[self.wire.middleware])
        app.router.add_post("/api/v1/vectorize", self._vectorize)
        app.router.add_post("/_control", self._control)
        app.router.add_get("/_stats", self._stats)
        return app

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self.app(), handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _vectorize(self, request: web.Request) -> web.StreamResponse:
        await self._move(in_progress=1)
        try:
            return await self._answer(request)
        except RefusalError as refusal:
            return self._error(refusal)
        except asyncio.CancelledError:
            await self._move(cut_off=1)
            raise
        finally:
            await self._move(in_progress=-1)

    async def _move(self, *, in_progress: int = 0, cut_off: int = 0) -> None:
        async with self.changed:
            self.in_progress += in_progress
            self.cut_off += cut_off
            self.changed.notify_all()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        seen = await _read(request)
        self._remember(seen)
        await self._free.wait()
        if self._failures:
            return await self._failed(self._failures.popleft(), request)
        _check(seen)
        await asyncio.sleep(self.duration)
        return _svg(sample_svg(seen.fields))

    def _authorize(self, request: web.Request) -> None:
        expected = base64.b64encode(f"{self.api_key}:{self.api_secret}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            raise RefusalError(401, *MESSAGES[401])

    def _remember(self, seen: Seen) -> None:
        self._count += 1
        self._by_image[hashlib.sha256(seen.image or b"").hexdigest()] += 1
        if self._keep_requests:
            self.requests.append(seen)

    async def _failed(self, failure: Failure, request: web.Request) -> web.StreamResponse:
        match str(failure):
            case "drop":
                _cut(request)
                return web.Response()
            case "hang":
                await asyncio.Event().wait()
                return web.Response()
            case "garbage":
                return _svg(b"<html><body>502, says a proxy with status 200</body></html>")
            case "truncated":
                return _svg(sample_svg({})[:150])
            case "huge":
                return await _endless(request)
            case stray if stray.startswith("stray "):
                page = "<html><body>an answer of a proxy</body></html>"
                return web.Response(
                    status=int(stray.removeprefix("stray ")), text=page, content_type="text/html"
                )
            case status:
                code, message = MESSAGES.get(int(status), (0, f"Injected status {status}"))
                raise RefusalError(int(status), code, message)

    def _error(self, refusal: RefusalError) -> web.Response:
        headers = {"Retry-After": self.retry_after} if self.retry_after else {}
        body = {"error": {"status": refusal.status, "code": refusal.code, "message": refusal.message}}
        return web.json_response(body, status=refusal.status, headers=headers)

    async def _control(self, request: web.Request) -> web.Response:
        order = await request.json()
        if order.get("reset"):
            self._failures.clear()
            self._by_image.clear()
            self._count = self.cut_off = 0
        self.duration = float(order.get("duration", self.duration))
        self.retry_after = order.get("retry_after", self.retry_after)
        self.fail(*order.get("fail", []))
        return web.json_response({"failures_left": len(self._failures)})

    async def _stats(self, _request: web.Request) -> web.Response:
        return web.json_response(self.stats())

    def forget_requests(self) -> None:
        """Only count requests from now on, for long runs."""
        self._keep_requests = False
        self.requests.clear()


async def _read(request: web.Request) -> Seen:
    seen = Seen()
    if not request.content_type.startswith("multipart/"):
        raise RefusalError(400, 1005, "Missing image parameter")
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name == "image":
            seen.filename, seen.content_type = part.filename, part.headers.get("Content-Type")
            seen.image = bytes(await part.read())
        else:
            seen.fields[part.name or ""] = await part.text()
    return seen


def _check(seen: Seen) -> None:
    if seen.image is None:
        raise RefusalError(400, 1005, "Missing image parameter")
    if seen.filename is None:
        raise RefusalError(400, 1016, "Missing image file parameter, but it's present as a string parameter.")
    if len(seen.image) > MAX_UPLOAD:
        raise RefusalError(413, *MESSAGES[413])
    if not seen.image.startswith(_PNG):
        raise RefusalError(400, *MESSAGES[400])
    for name, value in seen.fields.items():
        _check_choice(name, value)


def _check_choice(name: str, value: str) -> None:
    if name not in CHOICES:
        raise RefusalError(400, 1065, f"Unknown parameter '{name}'.")
    if value not in CHOICES[name]:
        allowed = ", ".join(sorted(CHOICES[name]))
        raise RefusalError(400, 1066, f"Invalid value '{value}' for '{name}', it must be one of: {allowed}.")


def sample_svg(fields: Mapping[str, str]) -> bytes:
    """A drawing like the API's, the same for every image; ``fields`` choose the grouping."""
    shapes = (
        '<path fill="{ink}" d="M 20 20 L 180 20 L 180 180 L 20 180 Z M 30 30 L 30 170 L 170 170 L 170 30 Z"/>'
        '<path fill="{ink}" d="M 100 60 C 122 60 140 78 140 100 C 140 122 122 140 100 140 Z"/>'
    ).format(ink="#000000")
    grouped = f'<g fill="#000000">{shapes}</g>' if fields.get("output.group_by") == "color" else shapes
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="200" height="200">'
        f'<path fill="#ffffff" d="M 0 0 L 200 0 L 200 200 L 0 200 Z"/>{grouped}</svg>\n'
    ).encode()


def _svg(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="image/svg+xml", headers={"X-Credits-Charged": "1.000"})


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "image/svg+xml"})
    await response.prepare(request)
    while True:
        await response.write(b" " * 1_000_000)


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


async def serve(port: int, duration: float, api_key: str, api_secret: str) -> None:
    """Run until cancelled; the first line printed is JSON with the ``base_url``."""
    fake = FakeVectorizer(port=port, duration=duration, api_key=api_key, api_secret=api_secret)
    fake.forget_requests()
    async with fake:
        print(json.dumps({"base_url": fake.base_url}), flush=True)  # noqa: T201 (a command line tool)
        await asyncio.Event().wait()


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(description="A fake Vectorizer.ai for tests.")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--duration", type=float, default=0.0, help="seconds a vectorization takes")
    parser.add_argument("--api-key", default="vk-test")
    parser.add_argument("--api-secret", default="secret-test")
    args = parser.parse_args()
    try:
        asyncio.run(serve(args.port, args.duration, args.api_key, args.api_secret))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
