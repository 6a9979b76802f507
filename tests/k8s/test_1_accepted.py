"""The API server and KEDA's webhook accept every object of every file of values, without a warning."""

import copy
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chart.chart import CASES, rendered
from tests.k8s.api import Object, RejectedError
from tests.k8s.conftest import NAMESPACE
from tests.k8s.control_plane import ControlPlane


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def _named_by_values(plane: ControlPlane) -> AsyncIterator[None]:
    """Objects of a hardened cluster that `everything.yaml` references."""
    runtime = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "handler": "runsc"}
    await plane.api.create({**runtime, "metadata": {"name": "gvisor"}})
    priority = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": 1000}
    await plane.api.create({**priority, "metadata": {"name": "studio"}})
    yield


@pytest.mark.parametrize("name", CASES)
async def test_objects(plane: ControlPlane, name: str) -> None:
    for one in rendered(name, "--namespace", NAMESPACE).objects:
        where = f"{one['kind']} {one['metadata']['name']}"
        try:
            answer = await plane.api.create(dict(one), NAMESPACE, dry_run=True)
        except RejectedError as error:
            pytest.fail(f"{where}: {error}")
        assert answer.warnings == (), where


@pytest.mark.parametrize("name", CASES)
async def test_pods(plane: ControlPlane, name: str) -> None:
    """The pods themselves: a namespace admits a Deployment whose pods it would reject."""
    for component, pod in _pods(name).items():
        try:
            answer = await plane.api.create(pod, NAMESPACE, dry_run=True)
        except RejectedError as error:
            pytest.fail(f"{component}: {error}")
        assert answer.warnings == (), component


async def test_a_pod_that_is_not_restricted_is_rejected(plane: ControlPlane) -> None:
    """Proves that the two tests above can fail."""
    loose = _pods("minimal", "--set", "defaults.securityContext.allowPrivilegeEscalation=true")["coloring"]
    with pytest.raises(RejectedError, match="violates PodSecurity"):
        await plane.api.create(loose, NAMESPACE, dry_run=True)
    deployment = rendered(
        "minimal", "--namespace", NAMESPACE, "--set", "defaults.podSecurityContext.runAsNonRoot=false"
    ).of("Deployment")["coloring"]
    answer = await plane.api.create(dict(deployment), NAMESPACE, dry_run=True)
    assert "would violate PodSecurity" in answer.warnings[0]


async def test_a_second_autoscaler_is_rejected(plane: ControlPlane) -> None:
    """KEDA's webhook is active: it detects an autoscaler for the same Deployment."""
    scaled = dict(rendered("external", "--namespace", NAMESPACE).of("ScaledObject")["coloring"])
    target = scaled["spec"]["scaleTargetRef"]
    autoscaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "another"},
        "spec": {"scaleTargetRef": target, "maxReplicas": 2},
    }
    await plane.api.create(autoscaler, NAMESPACE)
    try:
        with pytest.raises(RejectedError, match=r"admission webhook .* already managed by"):
            await plane.api.create(scaled, NAMESPACE, dry_run=True)
    finally:
        await plane.api.delete("autoscaling/v2", "HorizontalPodAutoscaler", "another", NAMESPACE)


def _pods(name: str, *arguments: str) -> dict[str, Object]:
    case = rendered(name, "--namespace", NAMESPACE, *arguments)
    pods = {}
    for component, template in case.pods().items():
        spec = copy.deepcopy(dict(template["spec"]))
        spec["serviceAccountName"] = "default"
        if component in case.of("StatefulSet"):
            spec["volumes"].append({"name": "data", "emptyDir": {}})
        metadata = {"generateName": "try-", "labels": template["metadata"]["labels"]}
        pods[component] = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    return pods
