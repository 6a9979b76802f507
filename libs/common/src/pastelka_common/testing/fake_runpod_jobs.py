"""Jobs and faults of the fake RunPod, without HTTP.

A job's state is computed from the clock on demand, so that hundreds of jobs need no task or timer.
"""

import base64
import hashlib
import heapq
import random
import time
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from pydantic_core import to_json

from pastelka_common.testing.fake_page import drawn_page

Operation = Literal["submit", "status", "cancel"]
FaultKind = Literal["answer", "drop", "lost", "hang", "garbage"]
Fault = int | Literal["drop", "lost", "hang", "garbage"]
"""An HTTP status, or: the connection is dropped before (``drop``) or after (``lost``) the call takes effect,
the call hangs until released (``hang``), or the response is 200 with invalid JSON (``garbage``)."""


class FakeRunpodSettings(BaseModel):
    """How the fake behaves."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    api_key: str = Field("fake-runpod-key", description="the key that is accepted")
    endpoint_id: str | None = Field(None, description="the only endpoint there is; none: any")
    queue_seconds: float = Field(0.0, ge=0, description="how long a job is IN_QUEUE")
    run_seconds: float = Field(0.0, ge=0, description="how long a job is IN_PROGRESS")
    workers: int | None = Field(None, ge=1, description="jobs that run at once; none: all")
    ignores_cancels: bool = Field(default=False, description="answer a cancel, and let the job go on")
    status_method: Literal["GET", "POST"] = Field(
        "GET", description="the one method that /status takes; POST as the local server of RunPod's SDK"
    )
    output: Literal["plain", "nested", "data_url", "nested_data_url"] = Field(
        "plain", description="plain, nested (output.output.image), data_url or nested_data_url"
    )
    page: Literal["drawn", "edges"] = Field(
        "drawn", description="drawn (costs nothing) or edges of the photo"
    )
    keep_photos: bool = Field(default=False, description="remember the photos, each once")


class FaultAnswer(BaseModel):
    """A fault with parameters: a response with ``status`` and ``Retry-After``, or another kind."""

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind = "answer"
    status: int = Field(500, ge=300, le=599)
    retry_after: str | None = None


class Chance(BaseModel):
    """Random faults: each call fails with ``probability``, by one of ``faults``."""

    model_config = ConfigDict(extra="forbid")

    probability: float = Field(ge=0, le=1)
    faults: list[Fault] = Field(min_length=1)
    seed: int = 0
    _random: random.Random | None = PrivateAttr(None)

    def draw(self) -> Fault | None:
        """The fault of this call; the same sequence for the same seed."""
        self._random = self._random or random.Random(self.seed)  # noqa: S311 - repeatable on purpose
        return self._random.choice(self.faults) if self._random.random() < self.probability else None


class JobPlan(BaseModel):
    """Scripted states of one job, instead of the clock.

    ``states`` are returned one per poll, the last one repeatedly. ``output`` replaces the page in a
    ``COMPLETED`` response verbatim, and is added to a ``FAILED`` one; ``error`` is added to both.
    """

    model_config = ConfigDict(extra="forbid")

    states: list[str] = Field(default_factory=lambda: ["COMPLETED"], min_length=1)
    output: Any = None
    error: Any = None


class Control(BaseModel):
    """The body of ``POST /_control``; all fields are optional."""

    model_config = ConfigDict(extra="forbid")

    reset: bool = Field(default=False, description="forget all jobs, faults, plans and counts first")
    settings: FakeRunpodSettings | None = Field(None, description="only those given are changed")
    fail: dict[Operation, list[Fault | FaultAnswer]] = Field(default_factory=dict)
    chance: dict[Operation, Chance] = Field(default_factory=dict)
    plans: list[JobPlan] = Field(default_factory=list)
    release: bool = Field(default=False, description="let calls that hang go on")
    forget: list[str] = Field(default_factory=list, description="ids that are answered with 404 from now on")


def image_key(photo: bytes) -> str:
    """The key of ``photo`` in the statistics: SHA-256 of its base64 form, in hexadecimal."""
    return _key(base64.b64encode(photo).decode())


def _key(image: str) -> str:
    return hashlib.sha256(image.encode()).hexdigest()


class Faults:
    """Pending faults."""

    def __init__(self) -> None:
        self.given = 0
        self.chances: dict[Operation, Chance] = {}
        self._queued: defaultdict[Operation, deque[FaultAnswer]] = defaultdict(deque)

    def queue(self, operation: Operation, faults: Iterable[Fault | FaultAnswer]) -> None:
        """Add faults for the next calls."""
        self._queued[operation].extend(_in_full(fault) for fault in faults)

    def due(self, operation: Operation) -> int:
        """Number of queued faults not used yet."""
        return len(self._queued[operation])

    def next(self, operation: Operation) -> FaultAnswer | None:
        """The fault of this call, if any."""
        queued, chance = self._queued[operation], self.chances.get(operation)
        drawn = chance.draw() if chance else None
        if not queued and drawn is None:
            return None
        self.given += 1
        return queued.popleft() if queued else _in_full(drawn or 500)


def _in_full(fault: Fault | FaultAnswer) -> FaultAnswer:
    if isinstance(fault, FaultAnswer):
        return fault
    return FaultAnswer(status=fault) if isinstance(fault, int) else FaultAnswer(kind=fault)


@dataclass(slots=True)
class Job:
    """One submitted job; times are those of the monotonic clock, in seconds."""

    id: str
    key: str
    options: dict[str, object]
    submitted: float
    starts: float
    ends: float
    plan: JobPlan | None
    polls: int = 0
    cancels: int = 0
    cancelled: bool = False
    forgotten: bool = False
    left: list[str] = field(default_factory=list)
    """The plan's remaining states."""


class Jobs:
    """All jobs, and request counts."""

    def __init__(self, settings: FakeRunpodSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self.plans: deque[JobPlan] = deque()
        self.by_id: dict[str, Job] = {}
        self.in_progress_max = 0
        self._clock = clock
        self._in_progress: list[tuple[float, str]] = []
        self._free: list[float] = []
        self._unknown_polls = 0
        self._page = base64.b64encode(drawn_page()).decode()
        self._photos: dict[str, str] = {}
        self._completed: dict[str, bytes] = {}

    def submit(self, image: str, options: dict[str, object] | None = None) -> Job:
        """Add a job; ``image`` is base64, ``options`` are the other inputs."""
        now = self._clock()
        starts, ends = self._times(now)
        plan = self.plans.popleft() if self.plans else None
        job = Job(f"{uuid.uuid4()}-e1", _key(image), options or {}, now, starts, ends, plan)
        if self.settings.keep_photos or self.settings.page == "edges":
            self._photos.setdefault(job.key, image)
        job.left = list(plan.states) if plan else []
        self.by_id[job.id] = job
        heapq.heappush(self._in_progress, (ends, job.id))
        self.in_progress_max = max(self.in_progress_max, self.in_progress())
        return job

    def _times(self, now: float) -> tuple[float, float]:
        """Start and end of a job; with ``workers``, on the first free one."""
        starts = now + self.settings.queue_seconds
        if self.settings.workers is not None:
            while len(self._free) < self.settings.workers:
                heapq.heappush(self._free, now)
            starts = max(starts, heapq.heappop(self._free))
            heapq.heappush(self._free, starts + self.settings.run_seconds)
        return starts, starts + self.settings.run_seconds

    def in_progress(self) -> int:
        """Number of unfinished jobs by the clock, ignoring plans."""
        now = self._clock()
        while self._in_progress and self._in_progress[0][0] <= now:
            heapq.heappop(self._in_progress)
        return sum(1 for _, job_id in self._in_progress if not self.by_id[job_id].cancelled)

    def photo(self, job: Job) -> bytes:
        """The submitted photo; stored only with ``keep_photos`` or ``page="edges"``."""
        return base64.b64decode(self._photos[job.key], validate=True)

    def poll(self, job_id: str) -> Job | None:
        """Count a poll."""
        job = self._known(job_id)
        if job is None:
            self._unknown_polls += 1
        else:
            job.polls += 1
        return job

    def _known(self, job_id: str) -> Job | None:
        job = self.by_id.get(job_id)
        return None if job is None or job.forgotten else job

    def cancel(self, job_id: str) -> Job | None:
        """Cancel a job unless it has ended. With ``workers``, its worker stays busy until its end."""
        job = self._known(job_id)
        if job is not None:
            job.cancels += 1
            stops = not self.settings.ignores_cancels and self.state(job) in ("IN_QUEUE", "IN_PROGRESS")
            job.cancelled = job.cancelled or stops
        return job

    def advance(self, *states: str) -> None:
        """Continue unfinished planned jobs with ``states``, one per poll, the last one repeatedly."""
        for job in self.by_id.values():
            if job.left and job.left[-1] in ("IN_QUEUE", "IN_PROGRESS"):
                job.left = list(states)

    def forget(self, job_id: str) -> None:
        """Let a job expire."""
        if job_id in self.by_id:
            self.by_id[job_id].forgotten = True

    def state(self, job: Job, *, served: bool = False) -> str:
        """The job's state; ``served`` advances a planned job to its next state."""
        if job.cancelled:
            return "CANCELLED"
        if job.left:
            return job.left.pop(0) if served and len(job.left) > 1 else job.left[0]
        now = self._clock()
        if now < job.starts:
            return "IN_QUEUE"
        return "IN_PROGRESS" if now < job.ends else "COMPLETED"

    def unfinished_reply(self, job: Job, state: str) -> dict[str, object]:
        """The body of a status response without output."""
        reply: dict[str, object] = {"id": job.id, "status": state}
        if state != "IN_QUEUE":
            reply["delayTime"] = self._delay_ms(job)
        if state == "IN_PROGRESS" and not job.plan:
            reply["executionTime"] = round(1000 * (self._clock() - job.starts))
        if job.plan and job.plan.error is not None:
            reply["error"] = job.plan.error
        if job.plan and job.plan.output is not None:
            reply["output"] = job.plan.output
        return reply

    def completed_reply(self, job: Job, page: bytes | None) -> bytes:
        """The body of a ``COMPLETED`` response; ``page`` replaces the drawn one."""
        run_ms = round(1000 * (job.ends - job.starts))
        head: dict[str, Any] = {
            "delayTime": self._delay_ms(job),
            "executionTime": run_ms,
            "id": job.id,
            "status": "COMPLETED",
        }
        if job.plan and job.plan.error is not None:
            head["error"] = job.plan.error
        return to_json(head)[:-1] + b',"output":' + self._output(job, page) + b"}"

    def _delay_ms(self, job: Job) -> int:
        return round(1000 * (job.starts - job.submitted))

    def _output(self, job: Job, page: bytes | None) -> bytes:
        if job.plan and "output" in job.plan.model_fields_set:
            return to_json(job.plan.output)
        if page is not None:
            return self._wrapped(base64.b64encode(page).decode())
        if self.settings.output not in self._completed:
            self._completed[self.settings.output] = self._wrapped(self._page)
        return self._completed[self.settings.output]

    def _wrapped(self, image: str) -> bytes:
        form = self.settings.output
        output: dict[str, object] = {
            "image": f"data:image/png;base64,{image}" if "data_url" in form else image
        }
        return to_json({"output": output} if form.startswith("nested") else output)

    def stats(self) -> dict[str, object]:
        """Counts since the start or the last reset; those by image are keyed by :func:`image_key`."""
        jobs = self.by_id.values()
        submits: Counter[str] = Counter(job.key for job in jobs)
        polls: Counter[str] = Counter()
        cancels: Counter[str] = Counter()
        for job in jobs:
            polls[job.key] += job.polls
            cancels[job.key] += job.cancels
        return {
            "submits": submits.total(),
            "polls": polls.total() + self._unknown_polls,
            "cancels": cancels.total(),
            "in_progress": self.in_progress(),
            "in_progress_max": self.in_progress_max,
            "submits_by_image": dict(submits),
            "polls_by_image": dict(polls),
            "cancels_by_image": dict(cancels),
        }
