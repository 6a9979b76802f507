"""Settings of the shop."""

import pytest
from pydantic import ValidationError

from pastelka_orders.shopify.settings import ShopifySettings


def shop(**values: str) -> ShopifySettings:
    return ShopifySettings.model_validate({f"shopify_{name}": value for name, value in values.items()})


@pytest.mark.parametrize("url", ["my-shop.myshopify.com", "https://my-shop.myshopify.com/"])
def test_shop_domain_and_orders_url_are_derived_from_the_store_url(url: str) -> None:
    found = shop(store_url=url, access_token="x")
    assert found.shopify_store_url == "https://my-shop.myshopify.com"
    assert found.shop_domain == "my-shop.myshopify.com"
    assert found.shop_orders_url == "https://admin.shopify.com/store/my-shop/orders/"
    assert found.shop_configured


def test_a_partly_configured_shop_is_not_configured() -> None:
    assert not shop(store_url="my-shop.myshopify.com", access_token=" ").shop_configured
    assert not shop(store_url="", access_token="x").shop_configured


def test_the_store_handle_overrides_the_one_of_the_url() -> None:
    found = shop(store_url="http://127.0.0.1:9997", store_handle="other")
    assert found.shop_domain == "other.myshopify.com"
    assert shop(store_url="http://127.0.0.1:9997").shop_orders_url is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("store_url", "ftp://my-shop.myshopify.com"),
        ("store_url", "https://user:secret@my-shop.myshopify.com"),
        ("store_url", "https://"),
        ("store_handle", "my-shop.myshopify.com"),
        ("api_version", "latest"),
        ("photo_attribute", ""),
    ],
)
def test_invalid_settings_are_rejected_without_their_values(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as found:
        shop(**{name: value})
    assert "secret" not in str(found.value)
