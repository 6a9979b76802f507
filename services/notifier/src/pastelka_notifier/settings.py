"""Settings of the notifier."""

from typing import Annotated

from pydantic import Field, SecretStr

from pastelka_common.settings import ServiceSettings


class NotifierSettings(ServiceSettings):
    """Environment of the notifier."""

    mercure_url: str = Field(pattern="^https?://", repr=False)
    mercure_publisher_jwt_key: SecretStr = Field(min_length=16)
    mercure_concurrency: Annotated[int, Field(ge=1, le=256)] = 32
