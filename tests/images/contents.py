"""Compares the contents of an image with the expected ones."""

import json
import os
import re
import stat
import subprocess
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from tests.images.engine import Engine
from tests.images.plan import ROOT, USER, Image

_PROGRAMS = {"pip", "pip3", "uv", "uvx", "npm", "npx", "node", "corepack"} | {
    *("gcc", "cc", "g++", "c++", "clang", "ld", "make", "go", "cargo", "rustc", "git"),
}
_FOLDERS = {".git", "node_modules", "tests", "pip", "ensurepip"}
_APT_LEFTOVERS = ("var/lib/apt/lists", "var/cache/apt/archives")
_MAY_WRITE = re.compile(r"(data|data/images|tmp|var/tmp|run/lock|var/lock|var/cache/nginx/\w+_temp)")
_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|SSL_CERT_FILE|PROXY)=", re.IGNORECASE)
_MARKERS = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": os.uname().machine,
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "sys_platform": "linux",
    "extra": "",
}


def problems(engine: Engine, image: Image) -> list[str]:
    """All problems of a built image; empty if there are none."""
    config = engine.config(image.tag)
    found = [*_of_config(config), *_of_history(engine.history(image.tag))]
    with engine.mounted(image.tag) as root:
        found += _of_files(root)
        if image.package is not None:
            found += _of_packages(root, image.package)
            found += _of_bytecode(root)
    return [f"{image.name}: {complaint}" for complaint in found]


def added_megabytes(engine: Engine, image: Image) -> float:
    """Size of the files that the image adds to its base (here the stand-in), in MB."""
    base = engine.config(image.tag)["Labels"].get("org.opencontainers.image.base.name")
    below = set(_layers(engine, base)) if base else set()
    sizes = engine.layer_sizes()
    return sum(sizes[layer] for layer in _layers(engine, image.tag) if layer not in below) / 1e6


def _layers(engine: Engine, reference: str) -> list[str]:
    layers: list[str] = json.loads(engine.history(reference))["OCIv1"]["rootfs"]["diff_ids"]
    return layers


def _of_config(config: Mapping[str, Any]) -> Iterator[str]:
    if config["User"] != USER:
        yield f"runs as {config['User'] or 'root'!r}; expected {USER}"
    if not config["Entrypoint"] or config["Entrypoint"][:2] == ["/bin/sh", "-c"]:
        yield f"has the entrypoint {config['Entrypoint']}, which would not forward signals to the program"
    if (config.get("Healthcheck") or {}).get("Test", ["NONE"])[0] != "CMD":
        yield "has no health check in exec form"
    missing = {"title", "description", "version", "revision"} - {
        label.removeprefix("org.opencontainers.image.") for label in config["Labels"]
    }
    if missing:
        yield f"lacks the labels {', '.join(sorted(missing))}"


def _of_history(history: str) -> Iterator[str]:
    for found in sorted({match.group(0) for match in _SECRET.finditer(history)}):
        yield f"tells {found} in its history or environment"


def _of_files(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        unwanted = [*(_PROGRAMS.intersection(files)), *(_FOLDERS.intersection(folders))]
        for name in unwanted:
            yield f"contains {Path(folder, name).relative_to(root)}"
        for name in [*folders, *files]:
            yield from _of_rights(Path(folder, name), root)
    for name in _APT_LEFTOVERS:
        left = [file for file in (root / name).rglob("*") if file.is_file() and file.name != "lock"]
        if left:
            yield f"contains {len(left)} files in {name}"


def _of_rights(path: Path, root: Path) -> Iterator[str]:
    status = path.lstat()
    relative = path.relative_to(root).as_posix()
    if stat.S_ISREG(status.st_mode) and status.st_mode & (stat.S_ISUID | stat.S_ISGID):
        yield f"{relative} changes the user"
    ours = status.st_uid == int(USER.split(":")[0]) or status.st_mode & stat.S_IWOTH
    kept = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    if kept and ours and not _MAY_WRITE.fullmatch(relative):
        yield f"{relative} could be changed by the program"


def _of_packages(root: Path, package: str) -> Iterator[str]:
    (site,) = root.glob("app/lib/python3*/site-packages")
    version = site.parent.name.removeprefix("python")
    expected = _locked(package, version)
    installed = {_name(one): one.version for one in distributions(path=[str(site)])}
    for name in sorted(installed.keys() - expected.keys()):
        yield f"has {name}, which {package} does not need"
    for name in sorted(expected.keys() - installed.keys()):
        yield f"lacks {name}, which {package} needs"
    for name in sorted(installed.keys() & expected.keys()):
        if expected[name] is not None and installed[name] != expected[name]:
            yield f"has {name} {installed[name]}; the lock file says {expected[name]}"


def _locked(package: str, python: str) -> dict[str, str | None]:
    """Locked versions of a member's dependencies on this machine's system, without our own packages."""
    exported = subprocess.run(
        [
            *("uv", "export", "--frozen", "--quiet", "--no-dev", "--all-extras", "--package", package),
            *("--no-hashes", "--no-annotate", "--no-header", "--no-editable"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    markers = {**_MARKERS, "python_version": python, "python_full_version": f"{python}.0"}
    locked: dict[str, str | None] = {}
    for line in exported.splitlines():
        if line.startswith("."):
            name = re.search(r'^name = "([^"]+)"', (ROOT / line / "pyproject.toml").read_text(), re.MULTILINE)
            locked[name.group(1) if name else line] = None
            continue
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(markers):
            (pin,) = requirement.specifier
            locked[_normal(requirement.name)] = pin.version
    return locked


def _of_bytecode(root: Path) -> Iterator[str]:
    for package in root.glob("app/lib/python3*/site-packages/pastelka_*/__init__.py"):
        if not list((package.parent / "__pycache__").glob("__init__.*.pyc")):
            yield f"{package.parent.name} has no bytecode"


def _name(distribution: Distribution) -> str:
    return _normal(distribution.metadata["Name"])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
