"""The dashboard of a viewer offers no commands that change data."""

import re

from playwright.async_api import Page, expect

from pastelka_local.testing.stack import photo
from tests.browser.catalogue import words
from tests.browser.conftest import Arrive
from tests.browser.orders import images_of
from tests.browser.password_gateway import PasswordGateway, enter
from tests.browser.scenes import order_with_everything
from tests.system import System

_HARMLESS = re.compile(
    "Klávesové zkratky|Oznámení na ploše|(Tmavý|Světlý) vzhled|EN: .*|Přihlášení: .*"
    r"|Vše|(Vyžaduje zásah|K\svygenerování|Ke\skontrole|Čeká na\sfotky|Generuje se|Schváleno|Vytištěno"
    r"|Odesláno|Pozastaveno|Zrušeno)(\d+\+?)?"
    r"|velké|střední|malé|Fotka|Omalovánka|SVG"
    r"|Kniha|Export|Historie|Zobrazit na celou obrazovku: .*"
    r"|v\d+(Chyba|Zrušeno|Dokončeno).*|Obnovit"
)
"""Buttons for a viewer: appearance, display, downloads and help."""


async def offered(page: Page) -> list[str]:
    """Names of all buttons on screen, and of fields that change data."""
    names = await page.evaluate(
        """() => [...document.querySelectorAll("button")]
          .filter((one) => one.checkVisibility())
          .map((one) => one.getAttribute("aria-label") ?? one.textContent.trim())"""
    )
    for role in ("checkbox", "radio", "spinbutton"):
        names += [role] * await page.get_by_role(role).count()
    return list(names)


async def test_a_viewer_sees_no_commands_that_change_data(
    visit: Arrive, system: System, password_gateway: PasswordGateway
) -> None:
    order = await order_with_everything(system, 900)
    number, name = order["order_number"], await password_gateway.user("viewer")
    visitor = await visit(at=password_gateway.url)
    page = visitor.page
    await enter(visitor, name)
    await expect(page.locator(f"[data-order='{number}']")).to_be_visible()
    shown = {"list": await offered(page)}
    await visitor.open_order(number)
    await expect(page.locator("article [data-status=error]").first).to_be_attached()
    shown["order"] = await offered(page)
    await visitor.open("/system")
    await expect(page.get_by_role("heading", name="Systém").first).to_be_visible()
    await visitor.until_light("live")
    shown["system"] = await offered(page)
    wrong = {where: [one for one in names if not _HARMLESS.fullmatch(one)] for where, names in shown.items()}
    assert wrong == {"list": [], "order": [], "system": []}
    # The content is visible.
    assert len([one for one in shown["order"] if one.startswith("Zobrazit")]) >= 5


async def test_keys_and_drops_of_a_viewer_change_nothing(
    visit: Arrive, system: System, password_gateway: PasswordGateway
) -> None:
    order = await order_with_everything(system, 910)
    number, name = order["order_number"], await password_gateway.user("viewer")
    visitor = await visit(at=password_gateway.url)
    page = visitor.page
    await enter(visitor, name)
    before = await system.get(f"/orders/{number}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method) if request.method != "GET" else None)
    await expect(page.locator(f"[data-order='{number}']")).to_be_visible()
    for key in ("j", "x", "c", "v"):
        await page.keyboard.press(key)
    await visitor.drop(photo(911))
    toast = page.get_by_role("region", name="Oznámení").get_by_role("listitem")
    await expect(toast).to_contain_text("Toto smějí jen operátoři.")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await visitor.open_order(number)
    for key in ("j", "c", "v", "1", "2", "Shift+Digit1"):
        await page.keyboard.press(key)
    await page.keyboard.press("?")
    help_text = await page.get_by_role("dialog").inner_text()
    assert "Další fotka" in help_text
    assert words("cs")["detail.key.page"] not in help_text
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    # Viewing still works, from the photo that had the focus before the help.
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog").locator("[data-screen]")).to_be_visible()
    await page.keyboard.press("Escape")
    assert asked == []
    assert await system.get(f"/orders/{number}") == before


async def test_an_operator_who_lost_the_role_sees_a_message(
    visit: Arrive, system: System, password_gateway: PasswordGateway
) -> None:
    order = await system.order(1, first_seed=920)
    name = await password_gateway.user("operator")
    visitor = await visit(at=password_gateway.url)
    page, image = visitor.page, images_of(order)[0]["id"]
    await enter(visitor, name, f"/orders/{order['order_number']}")
    generate = visitor.lane(image, "coloring").get_by_role("button", name="Vygenerovat omalovánku")
    await expect(generate).to_be_visible()
    await password_gateway.command("users", "role", name, "viewer")
    visitor.watch.announce(r"/generate-coloring: 403")
    await generate.click()
    toast = page.get_by_role("region", name="Oznámení").get_by_role("listitem")
    await expect(toast).to_contain_text("Toto smějí jen operátoři.")
    await expect(generate).to_have_count(0)
    await expect(visitor.card(image)).to_be_visible()
