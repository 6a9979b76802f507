"""The events of a run, with times of this machine's clock (``time.time()``)."""

import time
from collections.abc import Collection
from dataclasses import dataclass, field

from tests.faults.plan import Fault


@dataclass(slots=True)
class InjectedFault:
    """An injected fault; ``ended`` is when the component was ready again, ``None`` until then."""

    fault: Fault
    began: float
    ended: float | None = None
    note: str = ""


@dataclass(slots=True)
class Outage:
    """A time span in which a component was down or degraded."""

    part: str
    since: float
    until: float | None = None
    how: str = ""

    def overlaps(self, since: float, until: float, *, after: float = 0.0) -> bool:
        """Whether it overlaps a span; ``after`` seconds are added to its end."""
        return self.since <= until and (self.until is None or since <= self.until + after)


@dataclass
class Journal:
    """Faults, outages and remarks of one run."""

    began: float = field(default_factory=time.time)
    done: list[InjectedFault] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    exits: list[tuple[float, str, int]] = field(default_factory=list)
    """Processes that exited without being stopped by the test: time, name, exit status."""
    clicks: dict[str, int] = field(default_factory=dict)

    def down(self, part: str, how: str = "") -> Outage:
        """Record that a component goes down now."""
        outage = Outage(part, time.time(), how=how)
        self.outages.append(outage)
        return outage

    def was_down(
        self, parts: Collection[str], since: float, until: float, *, before: float = 0.0, after: float = 0.0
    ) -> bool:
        """Whether one of ``parts`` was down at any moment of a span, widened by these seconds."""
        return any(
            outage.part in parts and outage.overlaps(since, until + before, after=after)
            for outage in self.outages
        )

    def clicked(self, what: str, status: int | None) -> None:
        """Count a click and its response."""
        name = f"{what} {status or 'no answer'}"
        self.clicks[name] = self.clicks.get(name, 0) + 1
