"""A program built with Go from a module's files, once for all checkouts.

It is stored in the user's cache folder, under a hash of its sources.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

from pastelka_common.servers.base import Report, ServerError

_ERROR_CHARACTERS = 1500
_REPORT_INTERVAL = 5.0


@dataclass(frozen=True, kw_only=True)
class GoProgram:
    """One program: the package ``package`` of the module whose ``files`` lie in ``sources``.

    ``title`` is its name in messages, ``duration`` how long the build takes, ``otherwise`` the remedy if it
    fails (a sentence).
    """

    name: str
    title: str
    sources: Path
    duration: str
    otherwise: str = ""
    files: tuple[str, ...] = ("go.mod", "go.sum")
    package: str = "."
    flags: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Path of the program, whether or not it is built."""
        digest = hashlib.sha256(b"".join((self.sources / name).read_bytes() for name in self.files))
        machine = f"{sys.platform}-{platform.machine()}".lower()
        return platformdirs.user_cache_path("pastelka") / f"{self.name}-{machine}-{digest.hexdigest()[:16]}"

    @property
    def is_obtainable(self) -> bool:
        """Whether it is built, or Go is available to build it."""
        return shutil.which("go") is not None or self.path.is_file()

    def get(self, report: Report, without_go: Callable[[Path, Report], None] | None = None) -> Path:
        """The program; built the first time, or provided by ``without_go`` if Go is not available.

        Blocks, up to some minutes; concurrent callers wait. Raises :class:`ServerError`.
        """
        target = self.path
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{target}.lock"):
                if not target.is_file():
                    self._make(target, report, without_go)
        return target

    def _make(self, target: Path, report: Report, without_go: Callable[[Path, Report], None] | None) -> None:
        go = shutil.which("go")
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{self.name}-") as folder:
            made = Path(folder, self.name)
            if go is not None:
                report(f"building {self.title} with Go ({self.duration}, once on this machine)")
                self._build(go, Path(folder), made, report)
            elif without_go is not None:
                without_go(made, report)
            else:
                raise ServerError(f"Go, which builds {self.title}, was not found. {self._remedy()}")
            made.chmod(0o755)
            made.replace(target)

    def _build(self, go: str, folder: Path, made: Path, report: Report) -> None:
        """Build in a copy of the module, since Go may write into it."""
        module = folder / "module"
        module.mkdir()
        for name in self.files:
            shutil.copy(self.sources / name, module)
        flags = ["-v", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", *self.flags]
        process = subprocess.Popen(  # noqa: S603 - the developer's own Go
            [go, "build", *flags, "-o", str(made), self.package],
            cwd=module,
            env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            output = list(self._reported(process.stderr or (), report))
        if process.returncode != 0:
            output_tail = "".join(output).strip()[-_ERROR_CHARACTERS:]
            raise ServerError(f"Go could not build {self.title}: {output_tail}\n{self.otherwise}".rstrip())

    def _reported(self, lines: Iterable[str], report: Report) -> Iterator[str]:
        """The build's output lines (one per package, or an error), with a report every few seconds."""
        reported_at = time.monotonic()
        for number, line in enumerate(lines, 1):
            if time.monotonic() - reported_at >= _REPORT_INTERVAL:
                reported_at = time.monotonic()
                report(f"building {self.title}: {number} packages so far, now {line.strip()}")
            yield line

    def _remedy(self) -> str:
        return f"Install Go 1.26 or newer (https://go.dev/dl). {self.otherwise}".rstrip()


def program_from_env(variable: str, what: str) -> Path | None:
    """The program that the environment variable names, if set. Raises :class:`ServerError`."""
    path = os.environ.get(variable)
    if not path:
        return None
    if not os.access(path, os.X_OK) or not Path(path).is_file():
        raise ServerError(f"{variable} is {path!r}, which is not a program; give the path of {what}")
    return Path(path).absolute()
