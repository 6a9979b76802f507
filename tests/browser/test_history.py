"""The panel with an order's history, notes, customer and assignee: two operators, and a viewer."""

import re

from playwright.async_api import Locator, expect

from tests.browser.conftest import Arrive
from tests.browser.orders import images_of
from tests.browser.password_gateway import PasswordGateway, enter
from tests.browser.visitor import Visitor
from tests.system import System


async def opened(visitor: Visitor) -> Locator:
    """The panel, opened by its key; it has loaded the order's oldest entry."""
    await expect(visitor.page.get_by_role("button", name="Historie", exact=True)).to_be_visible()
    await visitor.page.keyboard.press("h")
    panel = visitor.page.get_by_role("dialog")
    await expect(panel.locator("[data-action=created]")).to_be_visible()
    return panel


async def test_two_operators_edit_an_order_and_nothing_is_lost(
    visit: Arrive, system: System, password_gateway: PasswordGateway
) -> None:
    names = [await password_gateway.user("operator") for _ in range(2)]
    order = await system.order(1, first_seed=80)
    path = f"/orders/{order['order_number']}"
    eva, jan = [await visit(at=password_gateway.url) for _ in names]
    for visitor, name in zip((eva, jan), names, strict=True):
        await enter(visitor, name, path)
        await expect(visitor.page.locator("h1")).to_contain_text(order["order_number"])
    of_eva, of_jan = await opened(eva), await opened(jan)
    jan.watch.announce(r"/details.*: 412")

    # Both have the same order before them, and change the same field and one of their own.
    await of_eva.get_by_label("Zákazník", exact=True).fill("Jana Nováková")
    await of_jan.get_by_label("Zákazník", exact=True).fill("Jana Novotna")
    await of_jan.get_by_role("button", name="Přiřadit mně").click()
    await of_eva.get_by_label("Poznámka k\u00a0objednávce").fill("Spěchá")
    await of_eva.get_by_role("button", name="Uložit").click()
    await expect(eva.bar()).to_contain_text("Jana Nováková")
    entry = of_jan.locator("[data-action=order_changed]")
    await expect(entry).to_contain_text("Zákazník: prázdné → Jana Nováková")
    await expect(entry).to_contain_text(names[0])
    await of_jan.get_by_role("button", name="Uložit").click()
    await expect(of_jan.get_by_role("alert")).to_contain_text("Jana Nováková")
    # What the other one wrote elsewhere is taken over; the own texts are still there.
    await expect(of_jan.get_by_label("Poznámka k\u00a0objednávce")).to_have_value("Spěchá")
    await expect(of_jan.get_by_label("Zákazník", exact=True)).to_have_value("Jana Novotna")
    await of_jan.get_by_role("button", name="Uložit moje").click()
    await expect(of_jan.get_by_role("button", name=re.compile("^Uložit"))).to_have_count(0)
    saved = await system.get(path)
    found = (saved["customer_name"], saved["note"], saved["assignee"])
    assert found == ("Jana Novotna", "Spěchá", names[1])
    await expect(of_eva.get_by_label("Zákazník", exact=True)).to_have_value("Jana Novotna")
    await expect(of_eva.locator("[data-action=assigned]")).to_contain_text(f"Přiřazeno: {names[1]}")


async def test_notes_have_their_author_and_a_viewer_reads_them(
    visit: Arrive, system: System, password_gateway: PasswordGateway
) -> None:
    operator, viewer = await password_gateway.user("operator"), await password_gateway.user("viewer")
    order = await system.order(1, first_seed=82)
    path = f"/orders/{order['order_number']}"
    writing, reading = await visit(at=password_gateway.url), await visit(at=password_gateway.url)
    await enter(writing, operator, path)
    await enter(reading, viewer, path)
    for visitor in (writing, reading):
        await expect(visitor.page.locator("h1")).to_contain_text(order["order_number"])
    written, read = await opened(writing), await opened(reading)
    await expect(read.locator("form")).to_have_count(0)
    field = written.get_by_label("Nová poznámka")
    await field.fill("Zákaznice volala,\nchce jinou fotku.")
    # Closing the panel loses nothing that was typed.
    await writing.page.keyboard.press("Escape")
    await expect(written).to_have_count(0)
    await opened(writing)
    await expect(field).to_have_value("Zákaznice volala,\nchce jinou fotku.")
    await field.press("Control+Enter")
    note = read.locator("[data-action=note]")
    await expect(note).to_contain_text("chce jinou fotku")
    await expect(note).to_contain_text(operator)
    await expect(field).to_have_value("")
    await expect(note.get_by_role("button")).to_have_count(0)
    await read.get_by_label("Jen poznámky").check()
    await expect(read.locator("[data-action=created]")).to_have_count(0)
    await written.get_by_role("button", name="Smazat poznámku").click()
    await writing.page.get_by_role("button", name="Smazat", exact=True).last.click()
    await expect(note).to_have_count(0)
    await expect(written.locator("[data-action=note_deleted]")).to_contain_text(operator)
    await writing.page.keyboard.press("Escape")
    await expect(written).to_have_count(0)
    # The help lists the key.
    await writing.page.keyboard.press("?")
    await expect(writing.page.get_by_role("dialog")).to_contain_text("Historie a\u00a0poznámky")


async def test_what_happens_to_a_page_appears_in_the_panel(visitor: Visitor, system: System) -> None:
    order = await system.order(2, first_seed=84)
    await visitor.open_order(order["order_number"])
    panel = await opened(visitor)
    await system.post(f"/orders/{order['order_number']}/generate-coloring")
    await expect(panel.locator("[data-action=coloring_requested]")).to_contain_text("Zadány 2 omalovánky")
    done = panel.locator("[data-action=coloring_completed]")
    await expect(done).to_contain_text("2\u00d7")
    await expect(done).to_contain_text("fotka 1, 2")
    for image in images_of(order):
        await system.post(f"/images/{image['id']}/approve")
    await expect(panel.locator("[data-action=approved]")).to_contain_text("2\u00d7")
