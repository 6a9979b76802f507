"""Request and response bodies (docs.runpod.io, *Endpoint operations*)."""

import base64
import math
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator


class JobState(StrEnum):
    """Documented states; a response may contain others."""

    IN_QUEUE = "IN_QUEUE"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"


_ENDED = (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED, JobState.TIMED_OUT)


class _Input(BaseModel):
    image: str
    megapixels: float
    steps: int


class _Submission(BaseModel):
    input: _Input


def submission(photo: bytes, *, megapixels: float, steps: int) -> bytes:
    """The body of ``POST /run``: the photo as raw base64 and the options."""
    image = base64.b64encode(photo).decode("ascii")
    job = _Submission(input=_Input(image=image, megapixels=megapixels, steps=steps))
    return job.model_dump_json().encode()


class Accepted(BaseModel):
    """The response of ``POST /run``."""

    id: str = Field(min_length=1, max_length=200)


class JobReply(BaseModel):
    """The response of ``GET /status/<id>``; only ``status`` is always present."""

    model_config = ConfigDict(populate_by_name=True)

    status: str
    output: Any = None
    error: Any = None
    delay_ms: float = Field(0.0, alias="delayTime")
    execution_ms: float = Field(0.0, alias="executionTime")

    @field_validator("delay_ms", "execution_ms", mode="before")
    @classmethod
    def _lenient(cls, value: object) -> float:
        """Ignore invalid durations, which only refine a deadline."""
        return float(value) if isinstance(value, int | float) and math.isfinite(value) and value > 0 else 0.0

    @property
    def has_ended(self) -> bool:
        """Whether the job's state is final."""
        return self.status in _ENDED

    @property
    def is_queued(self) -> bool:
        """Whether the job waits for a worker of the endpoint."""
        return self.status == JobState.IN_QUEUE

    @property
    def queue_seconds(self) -> float:
        """Seconds in the queue, as reported by RunPod; else 0."""
        return self.delay_ms / 1000

    @property
    def run_seconds(self) -> float:
        """Seconds with a worker, as reported by RunPod; else 0."""
        return self.execution_ms / 1000
