"""A fake RunPod endpoint over real HTTP.

In a test::

    async with FakeRunpod(FakeRunpodSettings(run_seconds=0.2)) as fake:
        provider = RunpodProvider(base_url=fake.base_url, ...)
        fake.fail("status", 429, "drop")

On its own (``--help`` lists the settings)::

    python -m pastelka_common.testing.fake_runpod --port 9999 --queue-seconds 1 --run-seconds 2

It answers ``POST /v2/<endpoint>/run``, ``GET /v2/<endpoint>/status/<id>`` and ``POST
/v2/<endpoint>/cancel/<id>``; ``POST /_control`` takes a :class:`Control` as JSON while it runs, ``GET
/_stats`` returns request counts. A request without the key is refused.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Self

from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json

from pastelka_common.testing.fake_page import edges_of
from pastelka_common.testing.fake_runpod_jobs import (
    Control,
    FakeRunpodSettings,
    Fault,
    FaultAnswer,
    Faults,
    Job,
    JobPlan,
    Jobs,
    Operation,
    image_key,
)
from pastelka_common.testing.wire import Wire

__all__ = ["Control", "FakeRunpod", "FakeRunpodSettings", "JobPlan", "image_key"]

_MAX_REQUEST_BYTES = 10_000_000  # bytes; RunPod's limit on /run
_HANG_SECONDS = 300.0


class FakeRunpod:
    """The fake; an asynchronous context manager that listens on ``host`` and a free ``port`` if 0."""

    def __init__(
        self, settings: FakeRunpodSettings | None = None, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.settings = settings or FakeRunpodSettings()
        self.jobs = Jobs(self.settings)
        self.faults = Faults()
        self.asked_in_vain = 0
        """Polls with a method that is not ``status_method``."""
        self.wire = Wire()
        self._address = (host, port)
        self._released = asyncio.Event()
        self._asked = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def root_url(self) -> str:
        """URL of the server, for ``/_control`` and ``/_stats``."""
        return f"http://{self._address[0]}:{self._address[1]}"

    @property
    def base_url(self) -> str:
        """``RUNPOD_BASE_URL``, without the endpoint's id."""
        return f"{self.root_url}/v2"

    def fail(self, operation: Operation, *faults: Fault | FaultAnswer) -> None:
        """Make the next calls of ``operation`` fail, one fault each, in this order."""
        self.faults.queue(operation, faults)

    def plan(self, *plans: JobPlan) -> None:
        """Set the plans of the next submitted jobs, one each."""
        self.jobs.plans.extend(plans)

    def advance(self, *states: str) -> None:
        """Continue unfinished planned jobs with ``states``, for tests that step through them."""
        self.jobs.advance(*states)

    def release(self) -> None:
        """Let all hanging calls continue normally."""
        self._released.set()
        self._released = asyncio.Event()

    def stats(self) -> dict[str, object]:
        """The response of ``GET /_stats``."""
        return self.jobs.stats() | {"faults": self.faults.given}

    async def until(self, condition: Callable[[], bool], *, timeout: float = 10.0) -> None:
        """Wait until ``condition`` holds, checked after every call. Raises ``TimeoutError``."""
        async with asyncio.timeout(timeout):
            while not condition():
                self._asked.clear()
                await self._asked.wait()

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, *self._address, backlog=1024)
        await site.start()
        self._address = (self._address[0], self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release()
        if self._runner is not None:
            await self._runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=_MAX_REQUEST_BYTES, middlewares=[self.wire.middleware])
        application.router.add_post("/v2/{endpoint}/run", self._guarded("submit", self._run))
        application.router.add_route(
            "*", "/v2/{endpoint}/status/{job}", self._guarded("status", self._status)
        )
        application.router.add_post("/v2/{endpoint}/cancel/{job}", self._guarded("cancel", self._cancel))
        application.router.add_post("/_control", self._control)
        application.router.add_get("/_stats", self._stats)
        return application

    def _guarded(
        self, operation: Operation, handle: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Wrap a handler with checks of key and endpoint and the faults of ``operation``."""

        async def guarded(request: web.Request) -> web.Response:
            try:
                refusal = self._refusal(request)
                if refusal is not None:
                    return refusal
                fault = self.faults.next(operation)
                return await handle(request) if fault is None else await self._fail(request, fault, handle)
            finally:
                self._asked.set()

        return guarded

    def _refusal(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") != f"Bearer {self.settings.api_key}":
            return _error(401, "the key is missing or wrong")
        if self.settings.endpoint_id not in (None, request.match_info["endpoint"]):
            return _error(404, "no such endpoint")
        return None

    async def _fail(
        self,
        request: web.Request,
        fault: FaultAnswer,
        handle: Callable[[web.Request], Awaitable[web.Response]],
    ) -> web.Response:
        self._asked.set()
        if fault.kind == "hang":
            await self._hang()
            return await handle(request)
        if fault.kind == "lost":
            await handle(request)
        if fault.kind == "garbage":
            return web.Response(text="<html>upstream connect error</html>", content_type="text/html")
        if fault.kind != "answer" and request.transport is not None:
            request.transport.abort()
        headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
        return _error(fault.status, "injected fault", headers)

    async def _hang(self) -> None:
        try:
            await asyncio.wait_for(self._released.wait(), _HANG_SECONDS)
        except TimeoutError:
            return

    async def _run(self, request: web.Request) -> web.Response:
        try:
            options = dict(from_json(await request.read())["input"])
            image = options.pop("image")
        except (ValueError, LookupError, TypeError):
            return _error(400, "the body must be JSON with input.image")
        if not isinstance(image, str) or not image:
            return _error(400, "input.image must be base64 text")
        job = self.jobs.submit(image, options)
        return _json(b'{"id":"%b","status":"IN_QUEUE"}' % job.id.encode())

    async def _status(self, request: web.Request) -> web.Response:
        if request.method != self.settings.status_method:
            self.asked_in_vain += 1
            return _error(405, "Method Not Allowed")
        job = self.jobs.poll(request.match_info["job"])
        if job is None:
            return _error(404, "job not found")
        state = self.jobs.state(job, served=True)
        if state != "COMPLETED":
            return _json(to_json(self.jobs.unfinished_reply(job, state)))
        page = await self._edges(job) if self.settings.page == "edges" else None
        return _json(self.jobs.completed_reply(job, page))

    async def _edges(self, job: Job) -> bytes:
        return await asyncio.to_thread(lambda: edges_of(self.jobs.photo(job)))

    async def _cancel(self, request: web.Request) -> web.Response:
        job = self.jobs.cancel(request.match_info["job"])
        if job is None:
            return _error(404, "job not found")
        return _json(to_json({"id": job.id, "status": self.jobs.state(job)}))

    async def _control(self, request: web.Request) -> web.Response:
        try:
            control = Control.model_validate_json(await request.read())
            self.apply(control)
        except ValidationError as error:
            return _error(400, str(error))
        return web.json_response(self.stats())

    async def _stats(self, _: web.Request) -> web.Response:
        return web.json_response(self.stats())

    def apply(self, control: Control) -> None:
        """Apply a control document. Raises ``ValidationError`` for settings out of range."""
        changes = control.settings.model_dump(exclude_unset=True) if control.settings else {}
        settings = FakeRunpodSettings.model_validate(self.settings.model_dump() | changes)
        if control.reset:
            self.jobs, self.faults = Jobs(settings), Faults()
        self.settings = self.jobs.settings = settings
        for operation, faults in control.fail.items():
            self.faults.queue(operation, faults)
        self.faults.chances |= control.chance
        self.jobs.plans.extend(control.plans)
        for job_id in control.forget:
            self.jobs.forget(job_id)
        if control.release:
            self.release()


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


def _error(status: int, why: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": why}, status=status, headers=headers)


async def _serve(settings: FakeRunpodSettings, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with FakeRunpod(settings, host=host, port=port) as fake:
        print(f"RUNPOD_BASE_URL={fake.base_url} RUNPOD_API_KEY={settings.api_key}", flush=True)  # noqa: T201
        await stop.wait()


def _arguments(model: type[BaseModel]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="A fake RunPod endpoint.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    for name, field in model.model_fields.items():
        text = f"{field.description} (default {field.default})"
        parser.add_argument(f"--{name.replace('_', '-')}", default=argparse.SUPPRESS, help=text)
    return parser


def main() -> int:
    """Run the fake until interrupted; returns 2 if a setting is malformed."""
    options = vars(_arguments(FakeRunpodSettings).parse_args())
    host, port = options.pop("host"), options.pop("port")
    try:
        settings = FakeRunpodSettings.model_validate(options)
    except ValidationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    asyncio.run(_serve(settings, host, port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
