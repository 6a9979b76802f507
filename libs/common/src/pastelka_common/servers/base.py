"""Base class of servers, for the local stack and tests."""

import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import aiohttp

HOST = "127.0.0.1"
"""Servers listen on loopback only."""

Report = Callable[[str], None]
"""Receives a line of progress for the user."""

_PROBE_TIMEOUT = aiohttp.ClientTimeout(total=2)


def silent(_line: str) -> None:
    """Report nothing."""


class ServerError(Exception):
    """A server could not be prepared or did not start; the message states the cause."""


@dataclass(kw_only=True)
class Server(ABC):
    """One server whose data, configuration and log live in ``folder``.

    ``prepare`` comes first, then ``command`` with ``env`` added to the environment starts it in
    the foreground, logging to its standard error.
    """

    folder: Path
    report: Report = field(default=silent, repr=False)

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    """Signal that ends the server quickly but cleanly."""

    def __post_init__(self) -> None:
        self.folder = self.folder.absolute()

    @abstractmethod
    def choose_ports(self) -> None:
        """Replace the ports by free ones; ``prepare`` must follow."""

    @abstractmethod
    def prepare(self) -> None:
        """Create folder and configuration; existing data stays. Blocks.

        Raises :class:`ServerError`.
        """

    @abstractmethod
    def argv(self) -> list[str]:
        """The program with its arguments."""

    @property
    @abstractmethod
    def url(self) -> str:
        """URL for clients."""

    @abstractmethod
    async def ready(self) -> bool:
        """Whether it responds."""

    def user(self) -> str | None:
        """The system user it must run as, if not the current one."""
        return None

    def command(self, *, dies_with_parent: bool = False) -> list[str]:
        """The complete command line; with ``dies_with_parent`` the kernel ends it with its parent (Linux)."""
        from pastelka_common.servers.privileges import as_user, terminate_with_parent  # noqa: PLC0415 - a cycle

        argv = terminate_with_parent(self.argv()) if dies_with_parent else self.argv()
        user = self.user()
        return argv if user is None else as_user(user, argv)

    def env(self) -> dict[str, str]:
        """Additional environment variables."""
        return {}


def write_private(file: Path, text: str) -> None:
    """Replace ``file`` atomically, readable only by its owner."""
    temporary = file.with_name(f"{file.name}.tmp")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
        target.write(text)
    temporary.replace(file)


async def responds(url: str) -> bool:
    """Whether a GET of ``url`` returns 2xx within two seconds."""
    try:
        async with aiohttp.ClientSession(timeout=_PROBE_TIMEOUT) as session, session.get(url) as response:
            return response.ok
    except (aiohttp.ClientError, TimeoutError):
        return False


def deploy_folder() -> Path:
    """The ``deploy`` folder. Raises :class:`ServerError` outside a checkout."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "deploy" / "mercure" / "go.mod").is_file():
            return folder / "deploy"
    raise ServerError("the folder deploy/ was not found: the servers run from a checkout, with `uv sync`")
