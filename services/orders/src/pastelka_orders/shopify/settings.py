"""Settings of the shop, all optional: without them no shop is connected."""

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from pastelka_common.settings import ServiceSettings

_HANDLE = re.compile(r"[a-z0-9][a-z0-9-]*")
_DOMAIN = ".myshopify.com"

Name = Annotated[str, Field(min_length=1, max_length=100)]


class ShopifySettings(ServiceSettings):
    """``SHOPIFY_*`` of the environment; empty values count as unset."""

    shopify_store_url: str | None = None
    shopify_store_handle: str | None = None
    shopify_access_token: SecretStr | None = None
    shopify_webhook_secret: SecretStr | None = None
    shopify_api_version: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}|unstable)$")] = "2026-04"
    shopify_photo_attribute: Name = "Fotka"
    shopify_dedication_attribute: Name = "Věnování"
    shopify_layout_attribute: Name = "Rozvržení"

    @field_validator(
        "shopify_store_url",
        "shopify_store_handle",
        "shopify_access_token",
        "shopify_webhook_secret",
        mode="before",
    )
    @classmethod
    def _given(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("shopify_store_url")
    @classmethod
    def _is_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        whole = url.strip().rstrip("/") if "://" in url else f"https://{url.strip().rstrip('/')}"
        parts = urlsplit(whole)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
            raise ValueError("must be the shop's URL, such as https://my-shop.myshopify.com")
        return whole

    @field_validator("shopify_store_handle")
    @classmethod
    def _is_handle(cls, handle: str | None) -> str | None:
        if handle is not None and not _HANDLE.fullmatch(handle):
            raise ValueError("must be the part before .myshopify.com, such as my-shop")
        return handle

    @property
    def shop_configured(self) -> bool:
        """Whether orders can be fetched from the shop."""
        return self.shopify_store_url is not None and self.shopify_access_token is not None

    @property
    def shop_handle(self) -> str | None:
        """The shop's name at Shopify, if known."""
        if self.shopify_store_handle is not None or self.shopify_store_url is None:
            return self.shopify_store_handle
        host = urlsplit(self.shopify_store_url).hostname or ""
        return host.removesuffix(_DOMAIN) if host.endswith(_DOMAIN) else None

    @property
    def shop_domain(self) -> str | None:
        """Expected value of ``X-Shopify-Shop-Domain``, if known."""
        return f"{self.shop_handle}{_DOMAIN}" if self.shop_handle else None

    @property
    def shop_orders_url(self) -> str | None:
        """URL of the shop's orders in its administration, to be followed by an order's id."""
        handle = self.shop_handle
        return f"https://admin.shopify.com/store/{handle}/orders/" if handle else None
