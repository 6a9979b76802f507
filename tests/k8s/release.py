"""Runs helm against the test cluster, and queries the resulting objects."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pastelka_common.testing.waiting import until
from tests.chart.chart import FOLDER
from tests.k8s.api import Object
from tests.k8s.control_plane import ControlPlane
from tests.k8s.programs import program

_SLOW = 120.0
"""Timeout for what takes three seconds on an idle machine."""


@dataclass(frozen=True)
class Release:
    """One release of the chart in a namespace."""

    plane: ControlPlane
    namespace: str
    name: str = "shop"

    @property
    def selector(self) -> str:
        """Label selector of its pods."""
        return f"app.kubernetes.io/instance={self.name}"

    async def install(self, values: Path, *arguments: str) -> str:
        """Run ``helm install --wait``; returns its output."""
        return await self.helm("install", self.name, str(FOLDER), "-f", str(values), *_wait(), *arguments)

    async def upgrade(self, values: Path, *arguments: str) -> str:
        """Run ``helm upgrade --wait``; returns its output."""
        return await self.helm("upgrade", self.name, str(FOLDER), "-f", str(values), *_wait(), *arguments)

    async def rollback(self, revision: int) -> None:
        """Run ``helm rollback --wait``."""
        await self.helm("rollback", self.name, str(revision), *_wait())

    async def uninstall(self) -> None:
        """Run ``helm uninstall --wait``."""
        await self.helm("uninstall", self.name, *_wait())

    async def template(self, values: Path, name: str, *arguments: str) -> list[Object]:
        """The objects of one template, as ``helm template --show-only`` renders them."""
        only = ("--show-only", f"templates/{name}.yaml")
        text = await self.helm("template", self.name, str(FOLDER), "-f", str(values), *only, *arguments)
        return [one for one in yaml.safe_load_all(text) if one]

    async def helm(self, *arguments: str) -> str:
        """Run helm. Fails with its output on an error or a warning."""
        login = str(self.plane.kubeconfig("admin"))
        command = [str(program("helm")), *arguments, "--namespace", self.namespace, "--kubeconfig", login]
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, check=False, timeout=600
        )
        said = [line for line in done.stderr.splitlines() if "found symbolic link" not in line]
        assert done.returncode == 0, "\n".join(said)
        assert not any("would violate" in line or "arning" in line for line in said), "\n".join(said)
        return done.stdout

    async def deployment(self, component: str) -> Object:
        """A component's Deployment."""
        name = f"{self.name}-pastelka-{component}"
        found = await self.plane.api.get("apps/v1", "Deployment", name, self.namespace)
        assert found is not None, name
        return found

    async def replicas(self, component: str) -> int:
        """Desired number of pods."""
        return int((await self.deployment(component))["spec"].get("replicas", 1))

    async def until_ready(self, component: str, number: int, seconds: float = _SLOW) -> None:
        """Wait until exactly ``number`` pods are desired and ready."""

        async def there() -> bool:
            found = await self.deployment(component)
            ready = found["status"].get("readyReplicas", 0)
            return bool(found["spec"]["replicas"] == number and ready == number)

        await until(there, seconds)

    async def until_tag(self, tag: str) -> None:
        """Wait until every pod has images of this tag: helm returns before the last old pods are gone."""

        async def there() -> bool:
            images = {one["image"] for pod in await self.pods() for one in pod["spec"]["containers"]}
            return {image.rpartition(":")[2] for image in images} == {tag}

        await until(there, _SLOW)

    async def pods(self, node: str | None = None) -> list[Object]:
        """Its pods that are not terminating, on one node or all."""
        found = await self.plane.api.objects("v1", "Pod", self.namespace, self.selector)
        return [
            pod
            for pod in found
            if "deletionTimestamp" not in pod["metadata"] and node in {None, pod["spec"].get("nodeName")}
        ]

    @asynccontextmanager
    async def watched(self) -> AsyncIterator["Availability"]:
        """Record the available pods of each Deployment while the body runs."""
        seen = Availability()
        task = asyncio.create_task(self._follow(seen))
        try:
            await until(lambda: seen.least, _SLOW)
            yield seen
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _follow(self, seen: "Availability") -> None:
        async for one in self.plane.api.watch("apps/v1", "Deployment", self.namespace):
            seen.note(one)


@dataclass
class Availability:
    """Minimum availability of each Deployment, as ``(available, desired)``."""

    least: dict[str, tuple[int, int]] = field(default_factory=dict)
    changes: int = 0

    def note(self, deployment: Object) -> None:
        """Record the current state of a Deployment."""
        component = deployment["metadata"]["labels"]["app.kubernetes.io/component"]
        now = (deployment.get("status", {}).get("availableReplicas", 0), deployment["spec"]["replicas"])
        before = self.least.get(component)
        self.changes += 1
        if before is None or now[0] - now[1] < before[0] - before[1]:
            self.least[component] = now

    def missing(self, component: str) -> int:
        """Maximum number of missing pods."""
        available, wanted = self.least[component]
        return max(0, wanted - available)


def secret(name: str, data: dict[str, str]) -> Object:
    """A Secret that the operator provides."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def volume(name: str, size: str, claim: tuple[str, str] | None = None) -> Object:
    """A volume that exists in name only; bound to a claim (namespace and name) if given."""
    spec: dict[str, Any] = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Retain",
        "hostPath": {"path": f"/nowhere/{name}"},
    }
    if claim is not None:
        spec["claimRef"] = {"namespace": claim[0], "name": claim[1]}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}


def claim(name: str, size: str, volume_name: str) -> Object:
    """A claim on that volume."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": "",
            "volumeName": volume_name,
            "resources": {"requests": {"storage": size}},
        },
    }


def names(objects: Sequence[Object]) -> set[str]:
    """``Kind/name`` of each."""
    return {f"{one['kind']}/{one['metadata']['name']}" for one in objects}


def _wait() -> tuple[str, ...]:
    return ("--wait", "--timeout", "5m")
