"""Settings of the orders service."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from pastelka_common.contracts.options import ColoringProviderName
from pastelka_common.storage import StorageSettings
from pastelka_orders.access.settings import AccessSettings
from pastelka_orders.book.settings import PrintSettings
from pastelka_orders.domain.prices import Prices
from pastelka_orders.models.orders import MANY_FILES
from pastelka_orders.photos.download import ProxySettings
from pastelka_orders.shopify.settings import ShopifySettings

_Price = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=6)]

_ASYNC_DRIVER = "postgresql+asyncpg://"
_FILES_PER_PASS = 500
_OBJECTS_PER_PASS = 25
"""Per kind: buckets charge by request, here at most 432,000 a day at one pass per 15 s."""


class OrdersSettings(AccessSettings, PrintSettings, ShopifySettings, StorageSettings):
    """Environment of the API and of the worker."""

    # Only for ``PROXY_1_HOST``: no other setting is nested.
    model_config = SettingsConfigDict(env_nested_delimiter="_")

    database_url: SecretStr
    database_direct_url: SecretStr | None = None
    database_pool_size: Annotated[int, Field(ge=1, le=200)] = 10
    static_url: str = "http://localhost:8081/static"
    mercure_subscriber_jwt_key: SecretStr | None = None
    mercure_cookie_seconds: Annotated[int, Field(ge=20, le=24 * 3600)] = 600
    timezone: str = "Europe/Prague"
    coloring_provider: ColoringProviderName = "local"
    coloring_price: _Price | None = None
    svg_price: _Price | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    auto_process: Literal["none", "coloring", "svg"] = "none"
    photo_max_bytes: Annotated[int, Field(ge=1024)] = 50 * 1024 * 1024
    photo_max_pixels: Annotated[int, Field(ge=10_000)] = 250_000_000
    upload_max_bytes: Annotated[int, Field(ge=1024)] = 1024 * 1024 * 1024
    order_max_photos: Annotated[int, Field(ge=1, le=1000)] = 100
    json_max_bytes: Annotated[int, Field(ge=1024, le=8 * 1024 * 1024)] = 64 * 1024
    export_concurrency: Annotated[int, Field(ge=1, le=100)] = 4
    download_concurrency: Annotated[int, Field(ge=1, le=256)] = 16
    download_allowed_hosts: str = ""
    photo_user_agent: Annotated[str, Field(pattern=r"^[ -~]*$")] = ""
    photo_referer: Annotated[str, Field(pattern=r"^(https?://[!-~]+)?$")] = ""
    proxy: dict[str, ProxySettings] = Field(default_factory=dict)
    reconcile_interval: Annotated[float, Field(ge=0.2, le=3600)] = 15.0
    reconcile_grace: Annotated[float, Field(ge=0.0, le=3600)] = 20.0
    reconcile_files_per_pass: Annotated[int, Field(ge=0, le=100_000)] | None = None
    retention_days: Annotated[int, Field(ge=0, le=36_500)] = 0
    retention_interval: Annotated[float, Field(ge=0.2, le=86_400)] = 60.0

    @field_validator(
        "retention_days",
        "reconcile_files_per_pass",
        "database_direct_url",
        "coloring_price",
        "svg_price",
        "currency",
        mode="before",
    )
    @classmethod
    def _empty_is_default(cls, value: Any, info: ValidationInfo) -> Any:
        is_empty = isinstance(value, str) and not value.strip()
        return cls.model_fields[info.field_name or ""].default if is_empty else value

    @field_validator("reconcile_files_per_pass")
    @classmethod
    def _can_detect_wrong_mount(cls, files: int | None) -> int | None:
        if files is not None and 0 < files < MANY_FILES:
            raise ValueError(
                f"must be 0 or at least {MANY_FILES}: fewer cannot distinguish lost files from a wrong mount"
            )
        return files

    @property
    def prices(self) -> Prices:
        """Prices for estimates."""
        return Prices(self.coloring_price, self.svg_price)

    @property
    def files_per_pass(self) -> int:
        """Number of files of each kind that a pass of the reconciler checks."""
        if self.reconcile_files_per_pass is not None:
            return self.reconcile_files_per_pass
        return _FILES_PER_PASS if self.bucket is None else _OBJECTS_PER_PASS

    @property
    def retention_period(self) -> timedelta | None:
        """How long orders are kept; ``None``: for ever."""
        return timedelta(days=self.retention_days) if self.retention_days else None

    @property
    def direct_url(self) -> str:
        """URL of the database without a pooler, for what needs a session (``LISTEN``)."""
        return (self.database_direct_url or self.database_url).get_secret_value()

    @property
    def is_database_pooled(self) -> bool:
        """Whether ``database_url`` names a pooler, that is, ``database_direct_url`` is set."""
        return self.direct_url != self.database_url.get_secret_value()

    @field_validator("database_url", "database_direct_url")
    @classmethod
    def _speaks_asyncpg(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(_ASYNC_DRIVER):
            raise ValueError(f"must start with {_ASYNC_DRIVER}")
        return url

    @field_validator("proxy", mode="before")
    @classmethod
    def _numbered(cls, proxies: Any) -> Any:
        """Ignore unrelated ``PROXY_*`` variables, and proxies without a host."""
        if not isinstance(proxies, dict):
            return proxies
        given = {number: _not_empty(one) for number, one in proxies.items() if str(number).isdecimal()}
        return {number: one for number, one in given.items() if one}

    @field_validator("static_url")
    @classmethod
    def _without_slash(cls, url: str) -> str:
        return url.rstrip("/")

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("is not a time zone of the IANA database, such as Europe/Prague") from None
        return name


def _not_empty(values: Any) -> Any:
    return (
        {name: value for name, value in values.items() if value != ""} if isinstance(values, dict) else values
    )
