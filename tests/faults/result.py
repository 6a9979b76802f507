"""The result of a run: as a table, and as JSON for ``docs/faults.md``."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.final_state import FinalState
from tests.faults.journal import InjectedFault, Journal


@dataclass(slots=True)
class FaultResult:
    """One fault: seconds from the start of the run, and its consequences.

    ``progress`` is the time from the component's return to the next committed status change; ``recovered`` to
    the end of the last version that was in progress at that moment.
    """

    name: str
    at: float
    seconds: float
    progress: float | None
    recovered: float | None
    note: str


@dataclass(slots=True)
class Result:
    """One run."""

    seed: int
    images: int
    orders: int
    cluster: bool
    seconds: float
    load_before: float
    quiet: bool
    versions: dict[str, int] = field(default_factory=dict)
    submits: int = 0
    charges: int = 0
    paid_twice: list[str] = field(default_factory=list)
    requests: int = 0
    updates: int = 0
    line_opened: int = 0
    clicks: dict[str, int] = field(default_factory=dict)
    exits: list[str] = field(default_factory=list)
    recovered: float | None = None
    """Seconds from the last component's return to the last version's end."""
    faults: list[FaultResult] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Result":
        """Read from JSON."""
        content: dict[str, Any] = json.loads(path.read_text())
        faults = [FaultResult(**fault) for fault in content.pop("faults")]
        return cls(**content, faults=faults)

    def table(self) -> str:
        """Format as a table."""
        lines = [f"{'at':>6}  {'fault':<20} {'for':>5}  {'progress':>8}  {'all done':>8}  result"]
        lines += [
            f"{f.at:6.1f}  {f.name:<20} {f.seconds:5.1f}  "
            f"{_seconds(f.progress)}  {_seconds(f.recovered)}  {f.note}"
            for f in self.faults
        ]
        lines += ["", self._summary()]
        lines += [f"exited by itself and was restarted: {line}" for line in self.exits]
        lines += [f"paid twice, unavoidably: {line}" for line in self.paid_twice]
        lines += [f"VIOLATION: {line}" for line in self.violations]
        lines.append(f"seed {self.seed}: {len(self.violations)} violations")
        return "\n".join(lines)

    def _summary(self) -> str:
        versions = ", ".join(f"{count} {name}" for name, count in sorted(self.versions.items()))
        clicks = ", ".join(f"{count} x {name}" for name, count in sorted(self.clicks.items()))
        return (
            f"{self.images} images in {self.orders} orders{' on a cluster' if self.cluster else ''}, "
            f"{self.seconds:.0f} s; versions: {versions}\n"
            f"{self.submits} submits, {self.charges} vectorizations; {self.requests} requests, "
            f"{self.updates} updates received, stream opened {self.line_opened} times\n"
            f"clicks: {clicks}\n"
            f"last recovery -> last version ended: {_seconds(self.recovered).strip()} s"
        )


def fault_results(journal: Journal, state: FinalState) -> list[FaultResult]:
    """Each fault with its recovery time."""
    return [_fault_result(journal, state, done) for done in sorted(journal.done, key=lambda one: one.began)]


def _fault_result(journal: Journal, state: FinalState, done: InjectedFault) -> FaultResult:
    back = done.ended
    lasted = (back or done.began) - done.began
    result = FaultResult(done.fault.name, done.began - journal.began, lasted, None, None, done.note)
    if back is None:
        return result
    later = [change["at"] for change in state.changes if change["at"] > back]
    result.progress = min(later) - back if later else None
    ends = [end for begin, end in spans(state) if begin <= back < end]
    result.recovered = max(ends) - back if ends else None
    return result


def spans(state: FinalState) -> list[tuple[float, float]]:
    """Start and end of each run of a version."""
    begins: dict[tuple[str, int, int], float] = {}
    ends: dict[tuple[str, int, int], float] = {}
    for change in state.changes:
        key = (change["kind"], change["version_id"], change["run"])
        begins.setdefault(key, change["at"])
        if change["status"] in {"completed", "error"}:
            ends[key] = change["at"]
    return [(begins[key], end) for key, end in ends.items()]


def _seconds(value: float | None) -> str:
    return f"{value:8.1f}" if value is not None else f"{'-':>8}"
