"""The report of a run: milestones, duration of each test, observations."""

import time
from dataclasses import dataclass, field


@dataclass
class Figures:
    """Milestones of a run; ``began`` is a monotonic time."""

    began: float
    _reached: list[tuple[float, str]] = field(default_factory=list)
    _tests: list[tuple[str, float]] = field(default_factory=list)

    def add_milestone(self, what: str) -> None:
        """Record a milestone."""
        self._reached.append((time.monotonic() - self.began, what))

    def test(self, name: str, seconds: float) -> None:
        """Record the end of a test."""
        self._tests.append((name, seconds))

    def lines(self) -> list[str]:
        """Lines of the report."""
        total = time.monotonic() - self.began
        return [
            "seconds  milestone",
            *(f"{at:7.1f}  {what}" for at, what in self._reached),
            "",
            "seconds  test",
            *(f"{seconds:7.1f}  {name}" for name, seconds in self._tests),
            f"{total:7.1f}  in all",
        ]
