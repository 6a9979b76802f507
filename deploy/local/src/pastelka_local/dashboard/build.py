"""Builds the dashboard if its sources are newer than the build, and checks it."""

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from pastelka_common.servers.base import Report, silent
from pastelka_local.dashboard.node import DashboardError, Npm, find_npm

_SOURCES = (
    *("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"),
    *("public", "scripts", "src"),
)
_STAMP = ".sources"
"""Stored beside the built files: the digest of their sources. nginx serves no hidden file."""
_NOT_CHECKED = ("node_modules", "dist", ".dist")
_API = Path("services", "orders", "openapi.json")
"""Input of the dashboard's generated types."""
_SUMMARY = ("Test Files", "Tests", "First load")


@dataclass(frozen=True)
class Dashboard:
    """The folder ``frontend`` of the checkout ``root`` and its build."""

    root: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    @property
    def folder(self) -> Path:
        """Folder of the sources."""
        return self.root / "frontend"

    @property
    def built(self) -> Path:
        """Output folder of Vite."""
        return self.folder / "dist"

    def dist(self, say: Report = silent) -> Path:
        """The built folder; builds it if the sources have changed, one build at a time. Blocks.

        Raises :class:`DashboardError`.
        """
        if not self.is_current():
            with self._lock():
                if not self.is_current():
                    self._build(say)
        return self.built

    def check(self, say: Report = silent, *, quick: bool = False) -> list[str]:
        """Run linters, type checker and tests; returns a summary. Blocks.

        Also builds, unless ``quick`` or the build is current. A passed check is not repeated until a file
        changes. Raises :class:`DashboardError` with the complete output.
        """
        with self._lock():
            checked, sources = self._checked_digest(), self.digest()
            if checked in self._passed(quick=quick) and (quick or self.is_current()):
                return ["unchanged since it passed"]
            builds = not quick and not self.is_current()
            output = self._npm(say).run(self.folder, "run", "check" if builds else "check:quick")
            if builds:
                self._stamp(sources)
            self._note(quick=quick).write_text(checked)
        lines = (line.strip() for line in output.splitlines())
        return [line for line in lines if line.startswith(_SUMMARY)]

    def run(self, script: str, say: Report = silent) -> str:
        """Run a script of ``package.json``; returns its output. Raises :class:`DashboardError`. Blocks."""
        with self._lock():
            return self._npm(say).run(self.folder, "run", script)

    def is_current(self) -> bool:
        """Whether the build matches the current sources."""
        try:
            return (self.built / _STAMP).read_text() == self.digest()
        except FileNotFoundError:
            return False

    def digest(self) -> str:
        """SHA-256 of everything that the build reads, in hexadecimal digits."""
        return self._digest_of(self._sources())

    def _digest_of(self, files: Iterable[Path]) -> str:
        digest = hashlib.sha256()
        for file in files:
            content = file.read_bytes() if file.exists() else b""
            digest.update(f"{file.relative_to(self.root)}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()

    def _build(self, say: Report) -> None:
        sources, npm = self.digest(), self._npm(say)
        say("building it from its sources")
        began = time.monotonic()
        npm.run(self.folder, "run", "build")
        self._stamp(sources)
        say(f"built in {time.monotonic() - began:.1f} s")

    def _npm(self, say: Report) -> Npm:
        """npm, after installing the packages of the lock file."""
        if not (self.folder / "package.json").is_file():
            raise DashboardError(
                f"{self.folder} has no package.json; the dashboard is built from a whole checkout"
            )
        npm = find_npm(self.root / ".tools", self.environment, say)
        if self._lacks_packages():
            say("installing the packages that package-lock.json names")
            npm.run(self.folder, "ci", "--no-audit", "--no-fund")
        return npm

    def _lacks_packages(self) -> bool:
        """Whether the lock file is newer than npm's own record of the installed packages."""
        try:
            installed = (self.folder / "node_modules" / ".package-lock.json").stat().st_mtime_ns
        except FileNotFoundError:
            return True
        return (self.folder / "package-lock.json").stat().st_mtime_ns > installed

    def _stamp(self, sources: str) -> None:
        (self.built / _STAMP).write_text(sources)

    def _sources(self) -> Iterator[Path]:
        found = _files_below(self.folder / name for name in _SOURCES)
        return (file for file in found if ".test." not in file.name)

    def _passed(self, *, quick: bool) -> set[str]:
        """Digests of sources that passed these checks or more."""
        return {
            note.read_text() for note in {self._note(quick=quick), self._note(quick=False)} if note.exists()
        }

    def _note(self, *, quick: bool) -> Path:
        return self._tools / ("dashboard.checked-quick" if quick else "dashboard.checked")

    def _checked_digest(self) -> str:
        """SHA-256 of everything that the checks read, in hexadecimal digits."""
        entries = (entry for entry in self.folder.glob("*") if not entry.name.startswith(_NOT_CHECKED))
        return self._digest_of([*_files_below(entries), self.root / _API])

    @property
    def _tools(self) -> Path:
        return self.root / ".tools"

    def _lock(self) -> FileLock:
        self._tools.mkdir(exist_ok=True)
        return FileLock(self._tools / "dashboard.lock")


def _files_below(paths: Iterable[Path]) -> Iterator[Path]:
    for path in sorted(paths):
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (file for file in found if file.is_file())
