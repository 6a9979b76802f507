"""What a run reports at its end: when what was reached, how long each test took, what was seen."""

import time
from dataclasses import dataclass, field


@dataclass
class Figures:
    """Collected while the tests run; ``began`` is a monotonic time."""

    began: float
    _reached: list[tuple[float, str]] = field(default_factory=list)
    _tests: list[tuple[str, float]] = field(default_factory=list)

    def reached(self, what: str) -> None:
        """Something is there, or was seen, now."""
        self._reached.append((time.monotonic() - self.began, what))

    def test(self, name: str, seconds: float) -> None:
        """A test has ended."""
        self._tests.append((name, seconds))

    def lines(self) -> list[str]:
        """The report."""
        total = time.monotonic() - self.began
        return [
            "seconds  what was reached",
            *(f"{at:7.1f}  {what}" for at, what in self._reached),
            "",
            "seconds  test",
            *(f"{seconds:7.1f}  {name}" for name, seconds in self._tests),
            f"{total:7.1f}  in all",
        ]
