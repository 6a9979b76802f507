"""Settings of the vectorize service."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from pastelka_common.settings import WorkerSettings
from pastelka_common.storage import StorageSettings

_CONCURRENCY = {"local": 1, "vectorizer": 16}
_IN_FLIGHT = {"local": 64, "vectorizer": 64}


class VectorizeSettings(WorkerSettings, StorageSettings):
    """Environment of the vectorize worker."""

    vectorize_provider: Literal["local", "vectorizer"] = "local"
    vectorize_concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None
    vectorize_max_in_flight: Annotated[int, Field(ge=1, le=10_000)] | None = None
    vectorizer_api_key: str | None = Field(default=None, repr=False)
    vectorizer_api_secret: SecretStr | None = None
    vectorizer_base_url: str = Field(default="https://api.vectorizer.ai/api/v1", repr=False)

    @model_validator(mode="after")
    def _vectorizer_needs_an_account(self) -> "VectorizeSettings":
        if self.vectorize_provider == "vectorizer":
            needed = {
                "VECTORIZER_API_KEY": self.vectorizer_api_key,
                "VECTORIZER_API_SECRET": self.vectorizer_api_secret,
            }
            missing = [name for name, value in needed.items() if not value]
            if missing:
                raise ValueError(f"VECTORIZE_PROVIDER=vectorizer needs {' and '.join(missing)}")
        return self

    @property
    def concurrency(self) -> int:
        """Active jobs in this process."""
        return self.vectorize_concurrency or _CONCURRENCY[self.vectorize_provider]

    @property
    def max_in_flight(self) -> int:
        """Active jobs across all replicas."""
        return self.vectorize_max_in_flight or _IN_FLIGHT[self.vectorize_provider]
