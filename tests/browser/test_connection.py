"""Hub killed, network down, machine asleep: the screen catches up, the light shows the connection."""

import asyncio
import time
from typing import Any

from pastelka_common.testing.fake_runpod import JobPlan
from pastelka_common.testing.waiting import until
from tests.browser.orders import count, statuses
from tests.browser.visitor import Visitor
from tests.system import System

OUTAGE = 30.0
CATCH_UP = 3.0
"""Seconds from the hub's return to a screen that shows the committed state."""


async def matches_the_api(visitor: Visitor, system: System, number: str) -> bool:
    """Whether every badge shows the status of the API."""
    return await visitor.badges() == await statuses(system, number)


async def generate_all(system: System, number: str, kind: str = "coloring") -> None:
    await system.post(f"/orders/{number}/generate-{kind}")


async def until_count(system: System, number: str, status: str, wanted: int) -> None:
    """Wait until this number of colorings of an order has a status."""

    async def there() -> bool:
        return await count(system, number, "coloring", status) == wanted

    met: bool = await until(there, 60)
    assert met


async def test_fifty_status_changes_during_a_hub_outage_are_caught_up(
    visitor: Visitor, system: System
) -> None:
    number = (await system.order(50, first_seed=100))["order_number"]
    await visitor.open_order(number)
    visitor.watch.announce(r"/\.well-known/mercure")
    loaded = await visitor.loaded()
    # Half of them end while the hub is down, and half are in progress when it is back.
    system.runpod.plan(*(JobPlan(states=["IN_QUEUE"]) for _ in range(25)))
    hub = system.stack.servers["mercure"]
    killed = time.time()
    await hub.kill()
    try:
        await generate_all(system, number)
        await until_count(system, number, "completed", 25)
        await until_count(system, number, "runpod_queued", 25)
        await visitor.until_light("offline")
        await asyncio.sleep(max(0.0, killed + OUTAGE - time.time()))  # the outage itself
        assert not await matches_the_api(visitor, system, number)
        assert await visitor.page.locator("[data-connection]").get_attribute("data-connection") == "offline"
    finally:
        await hub.start()
    back = time.time()
    await visitor.until(lambda: matches_the_api(visitor, system, number))
    changes = [change for shown in (await visitor.all_recorded()).values() for change in shown]
    caught_up = max(change["at"] for change in changes) / 1000 - back
    await visitor.until_light("live")
    lights = (await visitor.lights())[1:]
    print(f"caught up {caught_up:.2f} s after the hub's return; the light: {times(lights, killed)}")
    assert caught_up <= CATCH_UP
    assert await visitor.loaded() == loaded
    assert [light["state"] for light in lights] == ["live", "reconnecting", "offline", "live"]
    assert lights[1]["at"] / 1000 - killed < 5
    assert lights[3]["at"] / 1000 > back - 1
    # The stream is live: new changes appear without another reconnect.
    system.runpod.advance("COMPLETED")
    await until_count(system, number, "completed", 50)
    await visitor.until(lambda: matches_the_api(visitor, system, number))
    assert await visitor.loaded() == loaded


def times(lights: Any, since: float) -> str:
    """The light's states with the seconds since a moment."""
    return ", ".join(f"{light['state']} at {light['at'] / 1000 - since:+.1f} s" for light in lights)


async def test_changes_while_offline_are_caught_up(visitor: Visitor, system: System) -> None:
    number = (await system.order(3, first_seed=200))["order_number"]
    await visitor.open_order(number)
    visitor.watch.announce("ERR_INTERNET_DISCONNECTED", "ERR_NETWORK_CHANGED")
    loaded = await visitor.loaded()
    await visitor.context.set_offline(offline=True)
    await visitor.until_light("offline")
    await generate_all(system, number)
    await until_count(system, number, "completed", 3)
    assert not await matches_the_api(visitor, system, number)
    await visitor.context.set_offline(offline=False)
    await visitor.until(lambda: matches_the_api(visitor, system, number))
    await visitor.until_light("live")
    assert await visitor.loaded() == loaded


# A connection that died while the machine slept reports nothing, not even an error.
_DEAF = """{
  const Real = EventSource;
  const sources = [];
  window.EventSource = class extends Real { constructor(...args) { super(...args); sources.push(this); } };
  window.deafen = () => sources.forEach((source) => {
    for (const kind of ["message", "error", "open"])
      source.addEventListener(kind, (event) => event.stopImmediatePropagation(), { capture: true });
    Object.assign(source, { onmessage: null, onerror: null, onopen: null });
  });
  window.sleepFor = (ms) => { const now = Date.now; Date.now = () => now() + ms; };
}"""


async def test_changes_while_asleep_are_caught_up(visitor: Visitor, system: System) -> None:
    number = (await system.order(2, first_seed=210))["order_number"]
    await visitor.context.add_init_script(_DEAF)
    await visitor.open_order(number)
    loaded = await visitor.loaded()
    await visitor.page.evaluate("deafen()")
    await generate_all(system, number)
    await until_count(system, number, "completed", 2)
    assert not await matches_the_api(visitor, system, number)
    await visitor.page.evaluate("sleepFor(60_000); document.dispatchEvent(new Event('visibilitychange'))")
    await visitor.until(lambda: matches_the_api(visitor, system, number))
    await visitor.until_light("live")
    assert await visitor.loaded() == loaded
