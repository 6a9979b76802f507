"""The page of the API's document, through the gateway and its policy."""

from playwright.async_api import expect

from tests.browser.conftest import Arrive


async def test_the_api_documentation_renders(visit: Arrive) -> None:
    """Whatever the policy refuses, and every error of the console, fails the test as the visitor leaves."""
    visitor = await visit()
    page = visitor.page
    await visitor.open("/api/docs")
    await expect(page.get_by_role("heading", name="Pastelka")).to_be_visible()
    order = page.locator(".opblock-get", has_text="/api/v1/orders/{order_number}").first
    await order.locator("button").first.click()
    await expect(order.get_by_role("heading", name="Parameters")).to_be_visible()
