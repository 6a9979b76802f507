"""How much may be asked now: the leaky bucket of the Admin API.

Every answer says what the bucket holds and how fast it fills:
https://shopify.dev/docs/api/usage/limits#graphql-admin-api-rate-limits
"""

import time
from collections.abc import Callable

from pastelka_orders.shopify.fields import ShopifyModel


class ThrottleStatus(ShopifyModel):
    """The bucket, in cost points; ``restoreRate`` is points a second."""

    maximumAvailable: float  # noqa: N815 - the API's name
    currentlyAvailable: float  # noqa: N815
    restoreRate: float  # noqa: N815


class Cost(ShopifyModel):
    """What one query costs, and what is left."""

    requestedQueryCost: float  # noqa: N815
    throttleStatus: ThrottleStatus  # noqa: N815


class Throttle:
    """What is known of the bucket, as other programs may use it, too: a good guess."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._cost: Cost | None = None
        self._at = 0.0
        self._costs: dict[str, float] = {}

    def note(self, query: str, cost: Cost) -> None:
        """An answer to ``query`` came with this."""
        self._cost = cost
        self._at = self._clock()
        self._costs[query] = cost.requestedQueryCost

    def seconds(self, query: str) -> float:
        """How long to wait before ``query`` is asked; 0 while nothing is known."""
        if self._cost is None or query not in self._costs:
            return 0.0
        status = self._cost.throttleStatus
        rate = max(status.restoreRate, 0.1)
        available = status.currentlyAvailable + (self._clock() - self._at) * rate
        # No bucket fills beyond its size: a query that costs more is refused, not awaited.
        needed = min(self._costs[query], status.maximumAvailable)
        return max(0.0, (needed - available) / rate)
