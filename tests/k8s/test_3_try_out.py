"""The profile ``tryOut``: from an empty namespace, and again with what it keeps."""

import pytest

from pastelka_common.testing.waiting import until
from tests.chart.chart import values_file
from tests.k8s.conftest import make_namespace
from tests.k8s.control_plane import ControlPlane
from tests.k8s.figures import Figures
from tests.k8s.release import Release, names, volume

NAMESPACE = "try-out"
SECRET = "shop-pastelka-try-out"
KEPT = {
    f"Secret/{SECRET}",
    "PersistentVolumeClaim/shop-pastelka-files",
    "PersistentVolumeClaim/data-shop-pastelka-postgresql-0",
    "PersistentVolumeClaim/data-shop-pastelka-nats-0",
}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def small(plane: ControlPlane) -> Release:
    """The release with its own servers."""
    return Release(plane, NAMESPACE)


async def _secret(plane: ControlPlane) -> dict[str, str]:
    found = await plane.api.get("v1", "Secret", SECRET, NAMESPACE)
    assert found is not None
    data: dict[str, str] = found["data"]
    return data


async def test_install_into_an_empty_namespace(plane: ControlPlane, small: Release, figures: Figures) -> None:
    await make_namespace(plane, NAMESPACE)
    for name in ("first", "second", "third"):
        await plane.api.create(volume(f"try-out-{name}", "10Gi"))
    said = await small.install(values_file("try-out"))
    figures.add_milestone("tryOut installed, every pod ready")
    assert "port-forward" in said
    assert "at their start" in said
    assert len({pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in await small.pods()}) == 9


async def test_an_upgrade_generates_no_new_secrets(plane: ControlPlane, small: Release) -> None:
    before = await _secret(plane)
    await small.upgrade(values_file("try-out"), "--set", "logLevel=DEBUG")
    assert await _secret(plane) == before


async def test_kept_objects_are_reused_by_a_new_release(
    plane: ControlPlane, small: Release, figures: Figures
) -> None:
    before = await _secret(plane)
    await small.uninstall()

    async def left() -> bool:
        objects = await plane.api.everything(NAMESPACE)
        ours = [one for one in objects if "shop" in one["metadata"]["name"] and one["kind"] != "Event"]
        return names(ours) == KEPT

    await until(left, 180)
    await small.install(values_file("try-out"))
    figures.add_milestone("tryOut uninstalled and installed again with the kept objects")
    assert await _secret(plane) == before
