"""What happened during a run, by the clock of this machine (``time.time()``)."""

import time
from collections.abc import Collection
from dataclasses import dataclass, field

from tests.faults.plan import Fault


@dataclass(slots=True)
class Done:
    """A fault as it was carried out; ``ended`` is when the part was back (ready), ``None`` until then."""

    fault: Fault
    began: float
    ended: float | None = None
    note: str = ""


@dataclass(slots=True)
class Outage:
    """A part that was not there, or not as it should be."""

    part: str
    since: float
    until: float | None = None
    how: str = ""

    def overlaps(self, since: float, until: float, *, after: float = 0.0) -> bool:
        """Whether it lasted at any moment of a span; ``after`` seconds are added to its end."""
        return self.since <= until and (self.until is None or since <= self.until + after)


@dataclass
class Journal:
    """Faults, outages and remarks of one run."""

    began: float = field(default_factory=time.time)
    done: list[Done] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    exits: list[tuple[float, str, int]] = field(default_factory=list)
    """Processes that ended without being stopped by the test: when, which, and the exit status."""
    clicks: dict[str, int] = field(default_factory=dict)

    def down(self, part: str, how: str = "") -> Outage:
        """Note that a part goes away now."""
        outage = Outage(part, time.time(), how=how)
        self.outages.append(outage)
        return outage

    def was_down(
        self, parts: Collection[str], since: float, until: float, *, before: float = 0.0, after: float = 0.0
    ) -> bool:
        """Whether one of ``parts`` was away at any moment of a span, widened by these seconds."""
        return any(
            outage.part in parts and outage.overlaps(since, until + before, after=after)
            for outage in self.outages
        )

    def clicked(self, what: str, status: int | None) -> None:
        """Count a click and its answer."""
        name = f"{what} {status or 'no answer'}"
        self.clicks[name] = self.clicks.get(name, 0) + 1
