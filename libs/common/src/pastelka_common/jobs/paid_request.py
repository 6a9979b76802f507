"""A request to a provider that costs money once it is sent."""

from dataclasses import dataclass


@dataclass(slots=True)
class PaidRequest:
    """A paid request: ``sent``, then ``answered``; ``settled`` once what became of it is known for good.

    ``probe`` is whether the circuit breaker let it out to see whether the provider is back.
    """

    probe: bool
    sent: bool = False
    answered: bool = False
    settled: bool = False

    @property
    def is_lost(self) -> bool:
        """Whether the provider may charge for it although its result will never arrive."""
        return self.sent and not self.settled
