"""The API documentation page, through the gateway and its content security policy."""

from playwright.async_api import expect

from tests.browser.conftest import Arrive


async def test_the_api_documentation_renders(visit: Arrive) -> None:
    """Policy violations and console errors fail the test when the visitor is closed."""
    visitor = await visit()
    page = visitor.page
    await visitor.open("/api/docs")
    await expect(page.get_by_role("heading", name="Pastelka")).to_be_visible()
    order = page.locator(".opblock-get", has_text="/api/v1/orders/{order_number}").first
    await order.locator("button").first.click()
    await expect(order.get_by_role("heading", name="Parameters")).to_be_visible()
