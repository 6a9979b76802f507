"""What one image and its versions must look like, by the pure domain and the rules in words.

Time is a counter: every request and every choice takes the next number.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from pastelka_orders.domain.versions import Applied, VersionProgress, apply_fact, status_of


@dataclass
class Version:
    """One coloring or SVG."""

    kind: str
    id: int
    number: int
    options: Any
    asked: int
    progress: VersionProgress
    error_code: str | None = None
    then_svg: bool = False
    coloring: int | None = None

    @property
    def status(self) -> Any:
        return self.progress.status


@dataclass
class Reference:
    """One image."""

    clock: int = 0
    versions: dict[tuple[str, int], Version] = field(default_factory=dict)
    chosen: dict[str, int | None] = field(default_factory=lambda: {"coloring": None, "svg": None})
    chosen_at: dict[str, int] = field(default_factory=lambda: {"coloring": 0, "svg": 0})

    def of(self, kind: str) -> list[Version]:
        """All versions of a kind, by number."""
        return sorted((v for v in self.versions.values() if v.kind == kind), key=lambda v: v.number)

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    # --- clicks -----------------------------------------------------------------------------------

    def same_active(self, kind: str, options: Any, coloring: int | None = None) -> Version | None:
        """The version that a repeated request answers."""
        same = [
            v for v in self.of(kind) if v.status.is_active and v.options == options and v.coloring == coloring
        ]
        return same[-1] if same else None

    def source(self) -> Version | None:
        """The page that an SVG is made of."""
        completed = [v for v in self.of("coloring") if v.status.has_file]
        chosen = [v for v in completed if v.id == self.chosen["coloring"]]
        return (chosen or completed or [None])[-1]

    def add(self, kind: str, version_id: int, options: Any, **more: Any) -> Version:
        """A new version."""
        progress = VersionProgress(kind, 1, 0, 0, status_of(kind, "pending"))
        number = len(self.of(kind)) + 1
        version = Version(kind, version_id, number, options, self.tick(), progress, **more)
        self.versions[kind, version_id] = version
        return version

    def retry(self, version: Version) -> None:
        """A new run."""
        run = version.progress.run + 1
        version.progress = VersionProgress(version.kind, run, 0, 0, status_of(version.kind, "pending"))
        version.error_code, version.asked = None, self.tick()

    def cancel(self, version: Version) -> None:
        """A person ends the run."""
        version.progress = replace(version.progress, status=status_of(version.kind, "error"))
        version.error_code = "cancelled"

    def choose(self, version: Version) -> None:
        """A person chooses."""
        self.chosen_at[version.kind] = self.tick()
        if version.kind == "svg":
            self.chosen = {"coloring": version.coloring, "svg": version.id}
        elif self.chosen["coloring"] != version.id:
            svgs = [s for s in self.of("svg") if s.status.has_file and s.coloring == version.id]
            self.chosen = {"coloring": version.id, "svg": svgs[-1].id if svgs else None}

    # --- the relay and the workers ----------------------------------------------------------------

    def relay(self) -> None:
        """Every job is acknowledged by JetStream."""
        for version in self.versions.values():
            if version.status == status_of(version.kind, "pending"):
                version.progress = replace(version.progress, status=status_of(version.kind, "queued"))

    def facts(self, batch: list[Any]) -> list[Version]:
        """Apply a batch; returns the colorings whose SVG is to be asked for now."""
        completed = []
        for kind in ("coloring", "svg"):
            applied = {v.id: v for fact in batch if fact.kind == kind if (v := self._apply(fact))}
            completed += [v for v in applied.values() if v.status.has_file]
        for version in sorted(completed, key=lambda v: (v.kind, -v.asked)):
            self._choose_finished(version)
        return sorted((v for v in completed if v.then_svg), key=lambda v: v.id)

    def _apply(self, fact: Any) -> Version | None:
        version = self.versions.get((fact.kind, fact.version_id))
        if version is None:
            return None
        result = apply_fact(version.progress, fact, fact.status)
        if not isinstance(result, Applied):
            return None
        version.progress = result.progress
        version.error_code = fact.failure.code if fact.failure else None
        return version

    def _choose_finished(self, version: Version) -> None:
        """Only where no completed version is chosen, and no page by a person."""
        present = self.versions.get((version.kind, self.chosen[version.kind] or 0))
        if present is not None and present.status.has_file:
            return
        if version.kind == "svg":
            if self.chosen["coloring"] == version.coloring:
                self.chosen["svg"] = version.id
        elif max(self.chosen_at.values()) == 0:
            self.chosen = {"coloring": version.id, "svg": None}
