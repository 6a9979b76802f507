"""The chart as helm renders it, as Python objects."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pastelka_common.servers.base import deploy_folder
from tests.k8s import schemas
from tests.k8s.programs import CHART, NO_GO, build, program

FOLDER = deploy_folder() / "helm" / "pastelka"
CASES = sorted(file.stem for file in (FOLDER / "ci").glob("*.yaml"))
RELEASE = "shop"
SERVICES = ("orders-api", "orders-worker", "coloring", "vectorize", "notifier")
COMPONENTS = (*SERVICES, "gateway", "hub")


def skip_reason() -> str | None:
    """Why the chart cannot be tested here."""
    return None if shutil.which("go") else NO_GO


@cache
def prepared() -> None:
    """Install helm, kubeconform and the schemas if they are missing (``make test`` did that before)."""
    build(CHART, lambda _line: None)
    schemas.prepare(lambda _line: None)


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm; warnings about linked files are removed from the output."""
    prepared()
    done = subprocess.run(
        [str(program("helm")), *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    kept = [line for line in done.stderr.splitlines() if "found symbolic link" not in line]
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout, "\n".join(kept))


def values_file(case: str) -> Path:
    """A file of values in ``ci/``."""
    return FOLDER / "ci" / f"{case}.yaml"


def template(case: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``helm template`` over a file of values."""
    return helm("template", RELEASE, str(FOLDER), "--values", str(values_file(case)), *arguments)


@dataclass(frozen=True)
class Rendered:
    """The objects of one case, hooks included."""

    case: str
    text: str
    objects: tuple[Mapping[str, Any], ...]

    def of(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Objects of a kind, by component (or name, where they have none)."""
        return {component_of(one): one for one in self.objects if one["kind"] == kind}

    def pods(self) -> dict[str, Mapping[str, Any]]:
        """Pod templates by component."""
        kinds = ("Deployment", "StatefulSet", "Job", "CronJob")
        return {component_of(one): _template(one) for one in self.objects if one["kind"] in kinds}

    def containers(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every container of every pod, with its component's name."""
        for component, pod in self.pods().items():
            for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
                yield component, container

    def container(self, component: str) -> Mapping[str, Any]:
        """A component's main container."""
        containers = self.pods()[component]["spec"]["containers"]
        return next(one for one in containers if one["name"] == component)


def _template(one: Mapping[str, Any]) -> Mapping[str, Any]:
    spec = one["spec"]["jobTemplate"]["spec"] if one["kind"] == "CronJob" else one["spec"]
    found: Mapping[str, Any] = spec["template"]
    return found


def component_of(one: Mapping[str, Any]) -> str:
    """The component that an object belongs to."""
    labels = one["metadata"].get("labels", {})
    return str(labels.get("app.kubernetes.io/component", one["metadata"]["name"]))


@cache
def rendered(case: str, *arguments: str) -> Rendered:
    """A case as objects. Fails with helm's error message."""
    done = template(case, *arguments)
    assert done.returncode == 0, done.stderr
    objects = tuple(one for one in yaml.safe_load_all(done.stdout) if one)
    return Rendered(case, done.stdout, objects)
