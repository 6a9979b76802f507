"""The programs that test the chart, each built by Go once and kept outside the checkout.

They are stored in the user's cache folder under a hash of their inputs (the module files here and the
versions below), so all checkouts share them.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import platformdirs
from filelock import FileLock

MODULES = Path(__file__).parent / "modules"
KUBERNETES = "1.37.2"
KEDA = "2.21.0"
NO_GO = "Go is not on the PATH (https://go.dev/dl, 1.26 or newer); it builds the tools for the chart"

_VERSION = "k8s.io/component-base/version"
_KUBERNETES_FLAGS = " ".join(
    f"-X {_VERSION}.{name}={value}"
    for name, value in (
        ("gitVersion", f"v{KUBERNETES}"),
        ("gitMajor", KUBERNETES.split(".", maxsplit=1)[0]),
        ("gitMinor", KUBERNETES.split(".")[1]),
        ("gitTreeState", "clean"),
    )
)
_HELM = "helm.sh/helm/v3"
_HELM_FLAGS = " ".join(
    f"-X {_HELM}/{variable}={value}"
    for variable, value in (
        ("internal/version.version", "v3.22.0"),
        # The default Kubernetes version for rendering templates without a cluster.
        *(
            (f"{package}.k8sVersion{part}", value)
            for package in ("pkg/chartutil", "pkg/lint/rules")
            for part, value in zip(("Major", "Minor"), KUBERNETES.split("."), strict=False)
        ),
    )
)
_REPORT_SECONDS = 5.0
_ERROR_CHARACTERS = 1500

Report = Callable[[str], None]
"""Receives progress messages of one line."""


class BuildError(Exception):
    """A program could not be built; the message gives the reason."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One Go program: a package at ``version``, or a package of the module file in ``modules/<module>``."""

    name: str
    package: str
    version: str | None = None
    module: str | None = None
    flags: str = ""

    def key(self) -> bytes:
        """Hash of its inputs."""
        files = sorted((MODULES / self.module).glob("go.*")) if self.module else []
        parts = [self.name, self.package, self.version or "", self.flags]
        return b"\0".join([*(part.encode() for part in parts), *(file.read_bytes() for file in files)])


CHART = (
    Program(name="helm", package=f"{_HELM}/cmd/helm", version="v3.22.0", flags=_HELM_FLAGS),
    Program(name="kubeconform", package="github.com/yannh/kubeconform/cmd/kubeconform", version="v0.8.0"),
)
"""For rendering and validating: about two minutes on two cores."""

CONTROL_PLANE = (
    Program(name="etcd", package="go.etcd.io/etcd/server/v3", module="etcd"),
    *(
        Program(
            name=name, package=f"k8s.io/kubernetes/cmd/{name}", module="kubernetes", flags=_KUBERNETES_FLAGS
        )
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
    ),
    Program(name="kwok", package="sigs.k8s.io/kwok/cmd/kwok", version="v0.8.0"),
    *(
        Program(name=f"keda-{name}", package=f"github.com/kedacore/keda/v2/cmd/{name}", module="keda")
        for name in ("operator", "adapter", "webhooks")
    ),
)
"""A control plane with KEDA and simulated nodes: 15 to 20 minutes on two cores."""


def program(name: str) -> Path:
    """Path of the program ``name``, which must have been built (:func:`build`)."""
    found = next(known for known in (*CHART, *CONTROL_PLANE) if known.name == name)
    return _folder(found) / found.name


def missing(programs: Iterable[Program]) -> list[Program]:
    """Programs that are not built yet."""
    return [known for known in programs if not program(known.name).is_file()]


def go_module(module: str) -> Path:
    """Folder of a Go module (``path@version``) in Go's cache; fetches it if it is missing.

    Raises :class:`BuildError`.
    """
    command = [_go(), "mod", "download", "-json", module]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{module} could not be fetched: {(done.stderr or done.stdout).strip()}")
    return Path(json.loads(done.stdout)["Dir"])


def build(programs: Iterable[Program], report: Report) -> None:
    """Build the missing programs sequentially. Raises :class:`BuildError`."""
    wanted = missing(programs)
    for number, one in enumerate(wanted, 1):
        folder = _folder(one)
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if (folder / one.name).is_file():
                continue
            started = time.monotonic()
            _build(one, folder, partial(_numbered, report, f"{number} of {len(wanted)}"))
            report(f"{number} of {len(wanted)}: {one.name} built in {time.monotonic() - started:.0f} s")


def _numbered(report: Report, place: str, line: str) -> None:
    report(f"{place}: {line}")


def _folder(one: Program) -> Path:
    machine = f"{sys.platform}-{platform.machine()}".lower()
    digest = hashlib.sha256(one.key()).hexdigest()[:16]
    return platformdirs.user_cache_path("pastelka") / "k8s" / f"{one.name}-{machine}-{digest}"


def _go() -> str:
    go = shutil.which("go")
    if go is None:
        raise BuildError(NO_GO)
    return go


def _environment() -> dict[str, str]:
    """Environment of Go without the developer's flags; the programs need no C."""
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}


def _command(one: Program) -> list[str]:
    flags = ["-v", "-trimpath", f"-ldflags=-s -w {one.flags}".rstrip()]
    if one.module is None:
        return [_go(), "install", *flags, f"{one.package}@{one.version}"]
    return [_go(), "build", "-mod=mod", *flags, "-o", one.name, one.package]


def _build(one: Program, folder: Path, report: Report) -> None:
    report(f"building {one.name} with Go")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as name:
        making = Path(name)
        if one.module is not None:
            shutil.copytree(MODULES / one.module, making, dirs_exist_ok=True)
        process = subprocess.Popen(
            _command(one),
            cwd=making,
            env={**_environment(), "GOBIN": str(making)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            output = list(_report_lines(process.stderr or (), one, report))
        if process.returncode != 0:
            raise BuildError(f"Go could not build {one.name}: {''.join(output).strip()[-_ERROR_CHARACTERS:]}")
        (making / one.name).replace(folder / one.name)


def _report_lines(lines: Iterable[str], one: Program, report: Report) -> Iterator[str]:
    """Yield the build's output lines (one per package, or an error), reporting progress every few seconds."""
    last_report = time.monotonic()
    for number, line in enumerate(lines, 1):
        if time.monotonic() - last_report >= _REPORT_SECONDS:
            last_report = time.monotonic()
            report(f"{one.name}: {number} packages so far, now {line.strip()}")
        yield line
