"""The dashboard offers the presets that the API lists, and the options that the active provider takes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from pastelka_common.servers import NginxServer, running
from pastelka_local.dashboard import dist
from tests.browser.conftest import Arrive
from tests.browser.orders import images, images_of
from tests.browser.visitor import DisplayOptions, Visitor
from tests.system import System

STYLE_FIELDS: list[tuple[Literal["combobox", "checkbox"], str]] = [
    ("combobox", "Pozadí"),
    ("combobox", "Čáry"),
    ("checkbox", "Rámeček"),
]
STYLE = {"frame": False, "background": "none", "line_weight": "bold"}


@pytest_asyncio.fixture(loop_scope="session")
async def local(system: System, tmp_path: Path) -> AsyncIterator[str]:
    """Address of a gateway to an API that knows the local provider as the active one."""
    stack = system.stack
    page = await asyncio.to_thread(dist)
    gateway = NginxServer(folder=tmp_path, storage=stack.storage, page=page, hub_url=stack.hub.origin)
    gateway.choose_ports()
    settings = {"COLORING_PROVIDER": "local", "STATIC_URL": gateway.static_url}
    api = await stack.add("local-api", "api", env=settings)
    gateway.api_url = api.url
    async with running(gateway, deadline=60):
        yield f"http://localhost:{gateway.port}"


def toolbar(page: Page) -> Locator:
    """The presets of the order's page."""
    return page.get_by_role("group", name="Vzhled omalovánek")


async def test_presets_and_own_values_of_a_provider_of_size_and_detail(
    visitor: Visitor, system: System
) -> None:
    order = await system.order(1, first_seed=610)
    await visitor.open_order(order["order_number"])
    presets = toolbar(visitor.page)
    await expect(presets.get_by_role("radio")).to_have_count(7)
    await expect(presets.get_by_role("radio", name="batole 1 MP / 1", exact=True)).to_be_attached()
    await presets.get_by_text("vlastní", exact=True).click()
    await expect(visitor.page.get_by_role("spinbutton")).to_have_count(2)
    for role, name in STYLE_FIELDS:
        await expect(visitor.page.get_by_role(role, name=name)).to_have_count(0)
    await visitor.page.get_by_role("spinbutton", name="Kroky").fill("8")
    image = images_of(order)[0]
    lane = visitor.lane(image["id"], "coloring")
    await lane.get_by_role("button", name="Vygenerovat omalovánku").click()
    await expect(lane.get_by_text("1 MP / 8").first).to_be_visible()
    await expect(visitor.badge(image["id"], "coloring")).to_have_attribute("data-status", "completed")


async def test_options_of_style_are_chosen_sent_and_shown(local: str, visit: Arrive, system: System) -> None:
    order = await system.order(1, first_seed=620)
    number, image = order["order_number"], images_of(order)[0]
    visitor = await visit(at=local)
    await visitor.open_order(number)
    page, presets = visitor.page, toolbar(visitor.page)
    await expect(presets.get_by_role("radio", name="batole 1 MP / 1 · tlusté čáry")).to_be_attached()
    await presets.get_by_text("vlastní", exact=True).click()
    for role, name in STYLE_FIELDS:
        await expect(page.get_by_role(role, name=name)).to_have_count(1)
    await page.get_by_role("combobox", name="Pozadí").select_option("none")
    await page.get_by_role("combobox", name="Čáry").select_option("bold")
    await page.get_by_role("checkbox", name="Rámeček").uncheck()
    lane = visitor.lane(image["id"], "coloring")
    async with page.expect_request("**/generate-coloring") as request:
        await lane.get_by_role("button", name="Vygenerovat omalovánku").click()
    assert (await request.value).post_data_json == {"megapixels": 1, "steps": 4, **STYLE}
    words = "1 MP / 4 · bez rámečku · bez pozadí · tlusté čáry"
    await expect(lane.locator("li").get_by_text(words)).to_be_visible()
    # The workers of this installation have another provider: they refuse what it does not take.
    await expect(visitor.badge(image["id"], "coloring")).to_have_attribute("data-status", "error")
    version = (await images(system, number))[0]["versions"]["coloring"][0]
    assert version["options"] == {"megapixels": 1.0, "steps": 4, **STYLE}
    assert version["error"]["code"] == "option_unsupported"


@pytest.mark.parametrize("width", [375, 1440])
async def test_the_form_fits_its_screen(local: str, visit: Arrive, system: System, width: int) -> None:
    order = await system.order(1, first_seed=630)
    visitor = await visit(DisplayOptions(width=width), at=local)
    await visitor.open_order(order["order_number"])
    if width < 768:  # On a phone the photos come first.
        await visitor.page.get_by_role("button", name="Vzhled omalovánek").click()
    await toolbar(visitor.page).get_by_text("vlastní", exact=True).click()
    await expect(visitor.page.get_by_role("checkbox", name="Rámeček")).to_be_visible()
    overflow = await visitor.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow == 0
