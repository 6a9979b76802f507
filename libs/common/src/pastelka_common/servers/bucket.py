"""An S3-compatible server over a folder: versitygw, for tests and trials."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from pastelka_common.servers.base import HOST, Report, Server, deploy_folder, responds
from pastelka_common.servers.go_program import GoProgram, program_from_env
from pastelka_common.servers.ports import free_port

_BINARY_VARIABLE = "VERSITYGW_BIN"


def _random_key() -> str:
    return secrets.token_hex(16)


@dataclass(kw_only=True)
class BucketServer(Server):
    """One bucket, one key pair; objects are files below ``folder/objects/<bucket>``.

    The file system must support extended attributes.
    """

    name: ClassVar[str] = "s3"

    bucket: str = "pastelka"
    port: int = 0
    access_key: str = field(default_factory=_random_key, repr=False)
    secret_key: str = field(default_factory=_random_key, repr=False)

    def choose_ports(self) -> None:
        self.port = free_port()

    def prepare(self) -> None:
        if not self.port:
            self.choose_ports()
        (self.folder / "objects" / self.bucket).mkdir(parents=True, exist_ok=True)
        versity_binary(self.report)

    def argv(self) -> list[str]:
        options = ["--port", f"{HOST}:{self.port}", "--health", "/healthz", "--quiet"]
        return [str(versity_binary(self.report)), *options, "posix", str(self.folder / "objects")]

    def env(self) -> dict[str, str]:
        return {"ROOT_ACCESS_KEY": self.access_key, "ROOT_SECRET_KEY": self.secret_key}

    @property
    def url(self) -> str:
        """Endpoint for clients (``AWS_ENDPOINT_URL``)."""
        return f"http://{HOST}:{self.port}"

    def settings(self, prefix: str = "") -> dict[str, str]:
        """Variables that make a service store its files here, below ``prefix``."""
        return {
            "STORAGE_URL": f"s3://{self.bucket}/{prefix}".rstrip("/"),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }

    async def ready(self) -> bool:
        return await responds(f"{self.url}/healthz")


def versity_binary(report: Report) -> Path:
    """Path of the program; ``VERSITYGW_BIN`` overrides it. Built with Go the first time.

    Blocks, up to a few minutes. Raises :class:`ServerError`, also without Go.
    """
    return program_from_env(_BINARY_VARIABLE, "a versitygw") or _program().get(report)


def is_available() -> bool:
    """Whether :func:`versity_binary` has the program or can probably build it."""
    return bool(os.environ.get(_BINARY_VARIABLE)) or _program().is_obtainable


def _program() -> GoProgram:
    return GoProgram(
        name="versitygw",
        title="the S3-compatible server",
        sources=deploy_folder() / "s3",
        package="github.com/versity/versitygw/cmd/versitygw",
        flags=("-mod=readonly",),
        duration="about two minutes",
        otherwise="Or set VERSITYGW_BIN to the path of an existing one.",
    )
