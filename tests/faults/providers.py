"""The fake providers, with switchable failure modes and records of their charges."""

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from pastelka_common.testing.fake_runpod import FakeRunpod, FakeRunpodSettings
from pastelka_common.testing.fake_runpod_jobs import Chance, Fault, FaultAnswer
from pastelka_common.testing.fake_vectorizer import (
    FakeVectorizer,
    Seen,
    _check,
    _cut,
    _read,
    _svg,
    sample_svg,
)

_MODES: dict[str, Fault] = {
    "429": 429,
    "500": 500,
    "garbage": "garbage",
    "drop": "drop",
    "hang": "hang",
    "lost": "lost",
}


@dataclass(frozen=True, slots=True)
class Submit:
    """One job that the fake RunPod accepted. ``lost``: the submitter did not get the response."""

    job_id: str
    key: str
    steps: int
    at: float
    lost: bool


class Runpod(FakeRunpod):
    """A fake RunPod that records the time of each submission."""

    def __init__(self, *, queue_seconds: float, run_seconds: float, workers: int) -> None:
        settings = FakeRunpodSettings(
            queue_seconds=queue_seconds, run_seconds=run_seconds, workers=workers, page="edges"
        )
        super().__init__(settings)
        self._lost: set[str] = set()
        self._offset = time.time() - time.monotonic()

    def switch(self, mode: str) -> None:
        """Fail from now on; a lost response affects submissions only."""
        fault = _MODES[mode]
        operations = ("submit",) if mode == "lost" else ("submit", "status", "cancel")
        for operation in operations:
            self.faults.chances[operation] = Chance(probability=1.0, faults=[fault])  # type: ignore[index]

    def switch_off(self) -> None:
        """Respond normally again."""
        self.faults.chances.clear()
        self.release()

    def submits(self) -> list[Submit]:
        """Every accepted job, oldest first."""
        jobs = sorted(self.jobs.by_id.values(), key=lambda job: job.submitted)
        return [
            Submit(
                job.id,
                job.key,
                int(str(job.options.get("steps", 0))),
                job.submitted + self._offset,
                job.id in self._lost,
            )
            for job in jobs
        ]

    async def _fail(
        self,
        request: web.Request,
        fault: FaultAnswer,
        handle: Callable[[web.Request], Awaitable[web.Response]],
    ) -> web.Response:
        async def noted(request: web.Request) -> web.Response:
            response = await handle(request)
            if fault.kind == "lost" and request.path.endswith("/run"):
                self._lost.add(json.loads(_text(response))["id"])
            return response

        return await super()._fail(request, fault, noted)


def _text(response: web.Response) -> bytes:
    return response.body if isinstance(response.body, bytes) else b"{}"


@dataclass(slots=True)
class Charge:
    """One vectorization of the fake: the page, and the times of request and response."""

    page: str
    since: float
    until: float


class Vectorizer(FakeVectorizer):
    """A fake Vectorizer.ai that records its charges."""

    def __init__(self, *, duration: float) -> None:
        super().__init__(duration=duration)
        self.charges: list[Charge] = []
        self._mode: str | None = None
        self._released = asyncio.Event()
        self.forget_requests()

    def switch(self, mode: str) -> None:
        """Fail from now on."""
        self._mode = mode

    def switch_off(self) -> None:
        """Respond normally again; hanging requests are closed."""
        self._mode = None
        self._released.set()
        self._released = asyncio.Event()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        since = time.time()
        self._authorize(request)
        seen = await _read(request)
        self._remember(seen)
        if self._mode == "hang":
            await self._released.wait()
            _cut(request)
            return web.Response()
        if self._mode is not None:
            return await self._failed(self._mode, request)
        _check(seen)
        charge = Charge(_sha(seen), since, since + self.duration)
        # Charged from the start of the work, even if the client has disconnected.
        self.charges.append(charge)
        await asyncio.sleep(self.duration)
        charge.until = time.time()
        return _svg(sample_svg(seen.fields))


def _sha(seen: Seen) -> str:
    return hashlib.sha256(seen.image or b"").hexdigest()


def environment(runpod: Runpod, vectorizer: Vectorizer) -> dict[str, Any]:
    """Settings that point the services to these fakes."""
    return {
        "COLORING_PROVIDER": "runpod",
        "RUNPOD_API_KEY": runpod.settings.api_key,
        "RUNPOD_ENDPOINT_ID": "faults",
        "RUNPOD_BASE_URL": runpod.base_url,
        "RUNPOD_POLL_INTERVAL": "0.5",
        "VECTORIZE_PROVIDER": "vectorizer",
        "VECTORIZER_API_KEY": vectorizer.api_key,
        "VECTORIZER_API_SECRET": vectorizer.api_secret,
        "VECTORIZER_BASE_URL": vectorizer.base_url,
    }
