"""Signing in and out, and a session that expires during work."""

import re

from playwright.async_api import Locator, Route, expect

from pastelka_common.testing.waiting import until
from pastelka_local.testing.stack import photo
from tests.browser.conftest import Arrive
from tests.browser.keyboard import COUNT_POINTERS, Keyboard
from tests.browser.orders import images, images_of
from tests.browser.password_gateway import PASSWORD, TRIES, PasswordGateway, enter, sign_in
from tests.browser.scenes import ASK_AGAIN
from tests.browser.visitor import Visitor
from tests.system import System

_REFUSED = (
    r"/api/v1/(orders|presets|queues|system|images).*: 401",
    r"/\.well-known/mercure.*: 401",
    r"/static/.*: 401",
)
"""Event on an open page when the session ends, before its next request."""
_BROKEN = "[...document.images].filter((one) => one.complete && one.naturalWidth === 0).length"


async def come(visit: Arrive, password_gateway: PasswordGateway) -> Visitor:
    """A visitor who has not signed in."""
    visitor = await visit(at=password_gateway.url)
    visitor.watch.announce(*_REFUSED)
    return visitor


async def test_signing_in_returns_to_the_requested_page(
    visit: Arrive, system: System, password_gateway: PasswordGateway
) -> None:
    order = await system.order(2, first_seed=800)
    number, name = order["order_number"], await password_gateway.user("operator")
    visitor = await come(visit, password_gateway)
    visitor.watch.announce(r"/api/v1/session: 401")
    page = visitor.page
    await visitor.open(f"/orders/{number}")
    await expect(page.get_by_label("Jméno")).to_be_focused()
    button = page.get_by_role("button", name="Přihlásit se")
    before = await button.bounding_box()
    await sign_in(visitor, name, "not the password")
    await expect(page.get_by_role("alert")).to_have_text("Jméno nebo heslo nesouhlasí.")
    await expect(page.get_by_label("Heslo")).to_be_focused()
    assert await button.bounding_box() == before
    # The text is selected, so that typing replaces it.
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name=number)).to_be_visible()
    await visitor.until_light("live")
    loaded = await visitor.loaded()
    await visitor.until(lambda: page.evaluate("document.images.length > 0"))
    await visitor.until(lambda: page.evaluate(f"{_BROKEN} === 0"))
    # The page is live.
    image = images_of(order)[0]["id"]
    await system.post(f"/images/{image}/generate-coloring")
    await expect(visitor.badge(image, "coloring")).to_have_attribute("data-status", "completed")
    assert await visitor.loaded() == loaded
    await page.reload()
    await expect(page.get_by_role("heading", name=number)).to_be_visible()
    await expect(page.get_by_label("Heslo")).to_have_count(0)


async def test_too_many_sign_in_attempts_must_wait(visit: Arrive, password_gateway: PasswordGateway) -> None:
    name, other = await password_gateway.user("operator"), await password_gateway.user("operator")
    visitor = await come(visit, password_gateway)
    visitor.watch.announce(r"/api/v1/session: (401|429)")
    page = visitor.page
    alert = page.get_by_role("alert")
    await visitor.open()
    button = page.get_by_role("button", name="Přihlásit se")
    for attempt in range(TRIES + 1):
        async with page.expect_response(lambda answer: answer.request.method == "POST"):
            await sign_in(visitor, name, f"wrong {attempt}")
        await expect(button).to_have_attribute("aria-disabled", "false")
    await expect(alert).to_have_text(re.compile("Příliš mnoho pokusů"))
    seconds = alert.locator("[aria-hidden]")

    async def shown() -> int:
        return int(re.sub(r"\D", "", await seconds.inner_text()))

    first = await shown()
    assert 0 < first <= 15 * 60

    async def is_less() -> bool:
        return await shown() < first

    await visitor.until(is_less)
    # The page sends nothing while it waits; another user's correct name signs in afterwards.
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method) if "/session" in request.url else None)
    await page.keyboard.press("Enter")
    await button.click()
    assert "POST" not in asked
    await page.reload()
    await sign_in(visitor, other)
    await expect(page.get_by_role("button", name=f"Přihlášení: {other}")).to_be_visible()


async def test_an_expired_session_loses_no_input(
    visit: Arrive, system: System, password_gateway: PasswordGateway
) -> None:
    name = await password_gateway.user("operator")
    visitor = await come(visit, password_gateway)
    page = visitor.page
    await enter(visitor, name)
    loaded = await visitor.loaded()
    await visitor.drop(photo(810), photo(811))
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Zákazník").fill("Session Novak")
    await visitor.until_answered()
    await password_gateway.end_sessions(name)
    await dialog.get_by_role("button", name="Vytvořit objednávku").click()
    await expect(page.get_by_role("heading", name="Přihlášení")).to_be_visible()
    await expect(page.get_by_label("Jméno")).to_have_value(name)
    await expect(page.get_by_label("Heslo")).to_be_focused()
    await expect(dialog).to_be_hidden()
    # The page underneath receives no keys, and a dropped photo does not navigate away.
    await page.get_by_role("heading", name="Přihlášení").click()
    await page.keyboard.press("?")
    await visitor.drop(photo(812))
    await expect(dialog).to_be_hidden()
    await sign_in(visitor, name)
    await expect(dialog.get_by_label("Zákazník")).to_have_value("Session Novak")
    await expect(dialog.get_by_role("listitem")).to_have_count(2)
    await dialog.get_by_role("button", name="Vytvořit objednávku").click()
    await page.wait_for_url("**/orders/*")
    number = page.url.rsplit("/", 1)[1]
    await visitor.until_light("live")
    await expect(page.locator("article[data-image]")).to_have_count(2)
    assert len(await images(system, number)) == 2
    assert await visitor.loaded() == loaded


async def test_rejected_images_prompt_for_sign_in_and_load_afterwards(
    visit: Arrive, system: System, password_gateway: PasswordGateway
) -> None:
    number = (await system.order(3, first_seed=820))["order_number"]
    name = await password_gateway.user("viewer")
    visitor = await come(visit, password_gateway)
    page = visitor.page
    await enter(visitor, name)
    row = page.get_by_role("row").filter(has=page.locator(f"[data-order='{number}']"))
    await expect(row).to_be_visible()
    # The page has what it fetches when its stream opens: the click is to come before the next refusal.
    await page.reload()
    await visitor.until_answered()
    await password_gateway.end_sessions(name)

    async def refuse(route: Route) -> None:
        await route.fulfill(status=401)

    # Like the gateway after its cached authorization has expired.
    await page.route("**/static/**", refuse)
    await page.get_by_role("link", name=number).click()
    await expect(page.get_by_role("heading", name="Přihlášení")).to_be_visible()
    await page.unroute("**/static/**", refuse)
    await sign_in(visitor, name)
    await expect(page.get_by_role("heading", name=number)).to_be_visible()
    await expect(page.locator("article img")).to_have_count(3)
    await visitor.until(lambda: page.evaluate(f"{_BROKEN} === 0"))


async def settled(locator: Locator) -> float:
    """Position on the screen after rendering: cards get their final height when they come into view."""
    await locator.scroll_into_view_if_needed()
    return float(
        await locator.evaluate(
            """async (element) => {
              const frame = () => new Promise((drawn) => requestAnimationFrame(drawn));
              for (let top = NaN, same = 0; same < 5; ) {
                await frame();
                const now = element.getBoundingClientRect().top;
                same = now === top ? same + 1 : 0;
                top = now;
              }
              return element.getBoundingClientRect().top;
            }"""
        )
    )


async def test_signing_in_again_restores_the_scroll_position(
    visit: Arrive, system: System, password_gateway: PasswordGateway
) -> None:
    """Restores the scroll position and catches up on an event of meanwhile."""
    order = await system.order(8, first_seed=830)
    name = await password_gateway.user("operator")
    visitor = await come(visit, password_gateway)
    page = visitor.page
    await enter(visitor, name, f"/orders/{order['order_number']}")
    last = images_of(order)[-1]["id"]
    generate = visitor.lane(last, "coloring").get_by_role("button", name="Vygenerovat omalovánku")
    before = await settled(generate)
    assert await page.evaluate("scrollY") > 500
    await generate.focus()
    await password_gateway.end_sessions(name)
    # Any of the page's requests may be the first that is refused.
    await page.evaluate(ASK_AGAIN)
    await expect(page.get_by_role("heading", name="Přihlášení")).to_be_visible()
    first = images_of(order)[0]["id"]
    await system.post(f"/images/{first}/generate-coloring")
    await sign_in(visitor, name)
    await expect(generate).to_be_focused()

    async def is_where_it_was() -> bool:
        after = await generate.bounding_box()
        return after is not None and abs(after["y"] - before) < 5

    await until(is_where_it_was, 10)
    await expect(visitor.badge(first, "coloring")).to_have_attribute("data-status", "completed")
    await visitor.until_light("live")


async def test_signing_out_closes_every_tab(
    visit: Arrive, system: System, password_gateway: PasswordGateway
) -> None:
    number = (await system.order(1, first_seed=840))["order_number"]
    name, other = await password_gateway.user("operator"), await password_gateway.user("viewer")
    visitor = await come(visit, password_gateway)
    page = visitor.page
    await enter(visitor, name, f"/orders/{number}")
    tab = await visitor.context.new_page()
    await tab.goto(f"{password_gateway.url}/?q={number}")
    await expect(tab.locator(f"[data-order='{number}']")).to_be_visible()
    await page.get_by_role("button", name=f"Přihlášení: {name}").click()
    await page.get_by_role("button", name="Odhlásit se").click()
    for one in (page, tab):
        await expect(one.get_by_label("Jméno")).to_have_value("")
        await expect(one.get_by_text(number)).to_have_count(0)
        assert one.url == f"{password_gateway.url}/"
    # The device cookie is no credential: it gives this browser a separate limit of attempts.
    left = {one["name"] for one in await visitor.context.cookies() if one["value"]}
    assert left <= {"pastelka_device"}
    await sign_in(visitor, other)
    for one in (page, tab):
        await expect(one.get_by_role("button", name=f"Přihlášení: {other}")).to_be_visible()


async def test_sign_in_and_out_by_keyboard(visit: Arrive, password_gateway: PasswordGateway) -> None:
    name = await password_gateway.user("operator")
    visitor = await come(visit, password_gateway)
    page, keys = visitor.page, Keyboard(visitor)
    await visitor.context.add_init_script(COUNT_POINTERS)
    await visitor.open()
    await expect(page.get_by_label("Jméno")).to_be_focused()
    await keys.type(name)
    await keys.press("Tab")
    await expect(page.get_by_label("Heslo")).to_be_focused()
    await keys.type(PASSWORD)
    await keys.enter(page.get_by_role("button", name="Přihlásit se"))
    who = page.get_by_role("button", name=f"Přihlášení: {name}")
    await keys.enter(who)
    out = page.get_by_role("button", name="Odhlásit se")
    await expect(out).to_be_visible()
    await keys.press("Escape")
    await expect(out).to_be_hidden()
    await expect(who).to_be_focused()
    await keys.press("Enter")
    await keys.press("Tab")
    await expect(out).to_be_focused()
    await keys.press("Enter")
    await expect(page.get_by_label("Jméno")).to_be_focused()
    assert await page.evaluate("window.pointers") == 0
