"""Settings of the coloring service."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from pastelka_common.settings import WorkerSettings
from pastelka_common.storage import StorageSettings

_CONCURRENCY = {"local": 1, "runpod": 200}
_IN_FLIGHT = {"local": 64, "runpod": 400}


class ColoringSettings(WorkerSettings, StorageSettings):
    """Environment of the coloring worker.

    The defaults of ``coloring_concurrency`` (active jobs in this process) and ``coloring_max_in_flight``
    (across all replicas) depend on the provider: a local job uses a core, a RunPod job only waits.
    """

    coloring_provider: Literal["local", "runpod"] = "local"
    coloring_concurrency: Annotated[int, Field(ge=1, le=2000)] | None = None
    coloring_max_in_flight: Annotated[int, Field(ge=1, le=10_000)] | None = None
    coloring_threads: Annotated[int, Field(ge=0, le=256)] = Field(
        default=0, description="Threads of one local page; 0: its share of the processors"
    )
    runpod_api_key: SecretStr | None = None
    runpod_endpoint_id: str | None = None
    runpod_base_url: str = Field(default="https://api.runpod.ai/v2", repr=False)
    runpod_poll_interval: Annotated[float, Field(gt=0, le=60)] = 3.0
    runpod_job_timeout: Annotated[float, Field(gt=0, le=24 * 3600)] = Field(
        default=600.0, description="Seconds that a worker of RunPod may have a job"
    )
    runpod_queue_timeout: Annotated[float, Field(gt=0, le=24 * 3600)] = Field(
        default=3600.0,
        description="Seconds that a job may wait in RunPod's queue before it is submitted again",
    )
    runpod_max_in_queue: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None, description="Jobs of one process in RunPod's queue; learned if not set"
    )

    @model_validator(mode="after")
    def _runpod_needs_an_account(self) -> "ColoringSettings":
        if self.coloring_provider == "runpod":
            needed = {"RUNPOD_API_KEY": self.runpod_api_key, "RUNPOD_ENDPOINT_ID": self.runpod_endpoint_id}
            missing = [name for name, value in needed.items() if not value]
            if missing:
                raise ValueError(f"COLORING_PROVIDER=runpod needs {' and '.join(missing)}")
        return self

    @property
    def concurrency(self) -> int:
        """Active jobs in this process."""
        return self.coloring_concurrency or _CONCURRENCY[self.coloring_provider]

    @property
    def max_in_flight(self) -> int:
        """Active jobs across all replicas."""
        return self.coloring_max_in_flight or _IN_FLIGHT[self.coloring_provider]
