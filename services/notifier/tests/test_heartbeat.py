"""Heartbeats for pages: from the active notifier, and from a standby when that is gone."""

from collections.abc import Callable

import pytest
from nats.aio.client import Client

from pastelka_common.servers import MercureServer as HubServer
from pastelka_common.servers import free_port
from pastelka_common.testing.subscriber import Subscriber
from pastelka_common.testing.waiting import until
from pastelka_notifier.decisions import Update
from pastelka_notifier.heartbeat import INTERVAL, Heartbeat
from pastelka_notifier.mercure import HubUnavailableError, MercureClient

Subscribe = Callable[..., Subscriber]
SHORT = 0.05
NEVER = 600.0


class CountingHub(MercureClient):
    """Counts successful and attempted publications."""

    published = 0
    tried = 0

    async def publish(self, update: Update, *, update_id: str, event_type: str | None = None) -> None:
        self.tried += 1
        await super().publish(update, update_id=update_id, event_type=event_type)
        self.published += 1


@pytest.fixture
def hubs(mercure_hub: HubServer) -> Callable[..., CountingHub]:
    def hub(url: str = mercure_hub.url) -> CountingHub:
        return CountingHub(url, mercure_hub.publisher_key, connections=2)

    return hub


def test_a_page_tolerates_three_missing_heartbeats():
    assert INTERVAL * 3 <= 45


async def test_heartbeats_reach_pages_but_not_clients_of_message_events(
    nc: Client, hubs: Callable[..., CountingHub], subscribed: Subscribe
):
    async with (
        hubs() as hub,
        subscribed("orders", "orders/{order_number}") as plan,
        subscribed("orders", "heartbeat") as page,
        Heartbeat(nc, hub, lambda: True, interval=SHORT).running(),
    ):
        await page.until(lambda heard: sum(one.event == "heartbeat" for one in heard) >= 3)
        assert all(one.payload == {"type": "heartbeat"} for one in page.updates)
        # Each has its own id, so that a browser resumes without the earlier ones.
        assert len({one.id for one in page.updates}) == len(page.updates)
        assert plan.updates == []


async def test_only_the_active_notifier_publishes(nc: Client, hubs: Callable[..., CountingHub]):
    async with hubs() as active, hubs() as standby:
        waiting = Heartbeat(nc, standby, lambda: False, interval=SHORT, standby_delay=NEVER)
        async with waiting.running(), Heartbeat(nc, active, lambda: True, interval=SHORT).running():
            assert await until(lambda: _reached(active, 5), 30)
        assert standby.tried == 0


async def test_the_standby_publishes_when_the_active_notifier_is_gone(
    nc: Client, hubs: Callable[..., CountingHub]
):
    async with hubs() as active, hubs() as standby:
        waiting = Heartbeat(nc, standby, lambda: False, interval=SHORT, standby_delay=1.0)
        async with waiting.running():
            async with Heartbeat(nc, active, lambda: True, interval=SHORT).running():
                assert await until(lambda: _reached(active, 3), 30)
            assert await until(lambda: _reached(standby, 2), 30)


async def test_an_unavailable_hub_costs_one_heartbeat_only(nc: Client, hubs: Callable[..., CountingHub]):
    async with hubs(f"http://127.0.0.1:{free_port()}/") as away:
        async with Heartbeat(nc, away, lambda: True, interval=SHORT).running():
            assert await until(lambda: _tried(away, 3), 30)
        assert away.published == 0
        with pytest.raises(HubUnavailableError):
            await away.publish(Update(("heartbeat",), {}), update_id="urn:x")


async def _reached(hub: CountingHub, count: int) -> bool:
    return hub.published >= count


async def _tried(hub: CountingHub, count: int) -> bool:
    return hub.tried >= count


async def test_no_heartbeat_is_published_without_the_broker(hubs: Callable[..., CountingHub]):
    async with hubs() as hub:
        await Heartbeat(Client(), hub, lambda: True)._publish()
        assert hub.tried == 0
