"""The life of a release, in this order: installed, scaled, upgraded, rolled back, moved, removed.

Each test continues from the state that the one before it left. The consumer, its lag and the worker that
drains it are real; the pods exist in name only.
"""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import aiohttp
import nats
import pytest
import yaml
from nats.js.errors import NotFoundError

from pastelka_common.messaging.topology import COLORING_CONSUMER, JOBS
from pastelka_common.testing.fake_runpod import FakeRunpod, JobPlan
from pastelka_common.testing.waiting import until
from pastelka_local.testing import RunningStack
from pastelka_local.testing.stack import photo, post_order
from tests.k8s.api import Object, RejectedError
from tests.k8s.conftest import NAMESPACE
from tests.k8s.control_plane import NODES, ControlPlane
from tests.k8s.figures import Figures
from tests.k8s.release import Availability, Release, claim, names, secret, volume

PHOTOS = 7
JOBS_PER_POD = 2
MOST_PODS = 4
COOLDOWN = 6
SLOW = 180.0

pytestmark = pytest.mark.timeout(600)


def _values(stack: RunningStack) -> dict[str, Any]:
    """Values of a release that uses the stack's servers."""
    quick = {
        "minReplicas": 0,
        "maxReplicas": MOST_PODS,
        "jobsPerReplica": JOBS_PER_POD,
        "scaleDownSeconds": 3,
    }
    return {
        "publicUrl": "https://pastelka.example.org",
        "auth": {"mode": "password"},
        "database": {"existingSecret": "database"},
        "nats": {
            "existingSecret": "nats",
            "monitoringEndpoint": stack.nats.monitoring_url.removeprefix("http://"),
        },
        "mercure": {"existingSecret": "hub"},
        "storage": {"existingClaim": "files"},
        "ingress": {"enabled": True},
        "backupRecord": {"enabled": True, "existingClaim": "records", "schedule": "0 0 29 2 *"},
        "keda": {
            "enabled": True,
            "pollingInterval": 2,
            "cooldownPeriod": COOLDOWN,
            "failureThreshold": 2,
            "coloring": quick,
            "vectorize": quick,
        },
    }


async def _consumer(stack: RunningStack) -> tuple[int, int] | None:
    """Pending and unacknowledged messages of the real consumer; ``None`` without one."""
    nc = await nats.connect(stack.nats.url)
    try:
        info = await nc.jetstream().consumer_info(JOBS, COLORING_CONSUMER.name)
    except NotFoundError:
        return None
    finally:
        await nc.close()
    return info.num_pending or 0, info.num_ack_pending or 0


async def test_install(
    plane: ControlPlane, release: Release, stack: RunningStack, values: Path, figures: Figures
) -> None:
    """Install into a namespace that holds only the operator's Secrets and claim."""
    values.write_text(yaml.safe_dump(_values(stack)))  # noqa: ASYNC240 - a line or two
    for name in ("files", "records"):
        await plane.api.create(volume(name, "50Gi", (NAMESPACE, name)))
    for one in (
        secret("database", {"DATABASE_URL": stack.database_url}),
        secret("nats", {"NATS_URL": stack.nats.url}),
        secret("hub", {"publisher-jwt-key": "p" * 32, "subscriber-jwt-key": "s" * 32}),
        claim("files", "50Gi", "files"),
        claim("records", "50Gi", "records"),
    ):
        await plane.api.create(one, NAMESPACE)
    said = await release.install(values)
    figures.add_milestone("release installed, every pod ready")
    for words in ("Ingress shop-pastelka", "migrated before this release", "scaledobjects", "users add NAME"):
        assert words in said, said
    for component in ("orders-api", "orders-worker", "gateway", "notifier"):
        await release.until_ready(component, 2)
    await release.until_ready("hub", 1)


async def test_the_migration_job_ran_and_was_removed(plane: ControlPlane, release: Release) -> None:
    events = await plane.api.objects("v1", "Event", NAMESPACE)
    completed = [
        event
        for event in events
        if event["involvedObject"]["name"] == "shop-pastelka-migration" and event["reason"] == "Completed"
    ]
    assert completed
    assert await plane.api.get("batch/v1", "Job", "shop-pastelka-migration", NAMESPACE) is None
    policy = "shop-pastelka-migration"
    assert await plane.api.get("networking.k8s.io/v1", "NetworkPolicy", policy, NAMESPACE) is None


async def test_without_its_consumer_one_worker_is_started(
    plane: ControlPlane, release: Release, stack: RunningStack, figures: Figures
) -> None:
    """Only a worker creates the consumer. Without it there is no lag, and no worker would ever start."""
    assert await _consumer(stack) is None
    name = "shop-pastelka-coloring"
    await plane.api.patch("apps/v1", "Deployment", name, {"spec": {"replicas": 0}}, NAMESPACE)
    await release.until_ready("coloring", 1, SLOW)
    figures.add_milestone("coloring 0 -> 1 without a consumer")


async def test_without_jobs_there_is_no_worker(
    plane: ControlPlane, release: Release, stack: RunningStack, figures: Figures
) -> None:
    worker = await stack.add("coloring", "coloring", deadline=SLOW)  # a real pod would have done this
    await worker.stop()
    assert await _consumer(stack) == (0, 0)
    await release.until_ready("coloring", 0, SLOW)
    figures.add_milestone("coloring 1 -> 0 without jobs")
    scaled = await plane.api.get("keda.sh/v1alpha1", "ScaledObject", "shop-pastelka-coloring", NAMESPACE)
    conditions = {one["type"]: one["status"] for one in (scaled or {})["status"]["conditions"]}
    assert (conditions["Ready"], conditions["Active"]) == ("True", "False")


async def test_orders_start_workers(release: Release, stack: RunningStack, figures: Figures) -> None:
    """Photos posted to the real API become jobs at the real consumer, which become pods."""
    async with aiohttp.ClientSession() as http:
        photos = [photo(seed) for seed in range(1, PHOTOS + 1)]
        await post_order(http, stack.api_url, photos, process="coloring")

    async def published() -> bool:
        return await _consumer(stack) == (PHOTOS, 0)

    await until(published, SLOW)
    figures.add_milestone(f"{PHOTOS} jobs published")
    await until(lambda: _at_least(release, 1), SLOW)
    figures.add_milestone("coloring 0 -> 1")
    await release.until_ready("coloring", MOST_PODS, SLOW)
    figures.add_milestone(f"coloring 1 -> {MOST_PODS} ({PHOTOS} jobs, {JOBS_PER_POD} for each pod)")
    assert await release.replicas("vectorize") <= 1


async def _at_least(release: Release, number: int) -> bool:
    return await release.replicas("coloring") >= number


async def test_upgrade(release: Release, values: Path, figures: Figures) -> None:
    """Pod by pod, never fewer than desired; the number that KEDA set stays."""
    before = {pod["metadata"]["name"] for pod in await release.pods()}
    async with release.watched() as seen:
        await release.upgrade(values, "--set", "imageTag=9.9.9")
        await release.until_tag("9.9.9")
    figures.add_milestone(f"release upgraded ({seen.changes} changes of Deployments watched)")
    _nothing_missing(seen)
    assert not before & {pod["metadata"]["name"] for pod in await release.pods()}
    assert await release.replicas("coloring") == MOST_PODS


async def test_an_unavailable_replica_is_detected(release: Release, values: Path) -> None:
    """With a strategy that stops a pod before its successor runs; proves that the other tests can fail."""
    async with release.watched() as seen:
        await release.upgrade(values, "--set", "imageTag=9.9.8,notifier.maxSurge=0")
        await release.until_tag("9.9.8")
    assert seen.missing("notifier") == 1
    assert seen.missing("gateway") == 0


async def test_rollback(release: Release, figures: Figures) -> None:
    """Back to the first revision, also without a gap."""
    async with release.watched() as seen:
        await release.rollback(1)
        await release.until_tag("0.1.0")
    figures.add_milestone(f"release rolled back ({seen.changes} changes watched)")
    _nothing_missing(seen)
    assert await release.replicas("coloring") == MOST_PODS


def _nothing_missing(seen: Availability) -> None:
    """The hub cannot have two pods; everything else is upgraded without a gap."""
    assert set(seen.least) > {"orders-api", "orders-worker", "gateway", "notifier", "coloring"}
    for component in seen.least:
        assert seen.missing(component) == 0 or component == "hub", (component, seen.least[component])


async def test_nodes_can_be_drained(plane: ControlPlane, release: Release, figures: Figures) -> None:
    """Evict the pods of each node in turn: every eviction succeeds, at most one pod of a kind is missing."""
    async with release.watched() as seen:
        for node in NODES:
            refused = await _drain(plane, release, node)
            figures.add_milestone(f"{node} emptied ({refused} evictions had to wait)")
            for component in ("orders-api", "gateway", "notifier", "orders-worker"):
                await release.until_ready(component, 2)
            await plane.api.patch("v1", "Node", node, {"spec": {"unschedulable": False}})
    for component in seen.least:
        assert seen.missing(component) <= 1, (component, seen.least[component])


async def _drain(plane: ControlPlane, release: Release, node: str) -> int:
    """Like ``kubectl drain``: cordon, then evict each pod, with retries. Returns the number of rejections."""
    await plane.api.patch("v1", "Node", node, {"spec": {"unschedulable": True}})
    refused = 0

    async def empty() -> bool:
        nonlocal refused
        for pod in await release.pods(node):
            try:
                await plane.api.evict(pod["metadata"]["name"], NAMESPACE)
            except RejectedError as error:
                if error.status not in {404, 429}:
                    raise
                refused += error.status == 429
        return not await release.pods(node)

    await until(empty, SLOW)
    return refused


async def test_workers_with_active_jobs_are_not_scaled_down(
    release: Release, stack: RunningStack, runpod: FakeRunpod, figures: Figures
) -> None:
    """A real worker pulls all jobs: none is pending. While they are unacknowledged, no pod is removed."""
    runpod.plan(*(JobPlan(states=["IN_PROGRESS"]) for _ in range(PHOTOS)))
    await stack.services["coloring"].start(deadline=SLOW)

    async def in_progress() -> bool:
        return await _consumer(stack) == (0, PHOTOS)

    await until(in_progress, SLOW)
    figures.add_milestone(f"a real worker has pulled all {PHOTOS} jobs, none is pending")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(3 * COOLDOWN):  # proving an absence takes waiting
            while True:
                assert await release.replicas("coloring") == MOST_PODS
                await asyncio.sleep(0.5)
    assert await in_progress()
    figures.add_milestone(f"coloring stayed at {MOST_PODS} for {3 * COOLDOWN} s (cooldown: {COOLDOWN} s)")


async def test_workers_are_scaled_down_after_the_last_job(
    release: Release, stack: RunningStack, runpod: FakeRunpod, figures: Figures
) -> None:
    runpod.advance("COMPLETED")

    async def drained() -> bool:
        return await _consumer(stack) == (0, 0)

    await until(drained, SLOW)
    figures.add_milestone("jobs done by the real worker")
    await release.until_ready("coloring", 0, SLOW)
    figures.add_milestone(f"coloring {MOST_PODS} -> 0")

    async def shown() -> bool:
        async with aiohttp.ClientSession() as http, http.get(f"{stack.api_url}/orders") as answer:
            (order,) = (await answer.json())["items"]
        return bool(order["coloring_completed"] == PHOTOS)

    await until(shown, SLOW)


async def test_jobs_of_backup_and_restore(
    plane: ControlPlane, release: Release, values: Path, figures: Figures
) -> None:
    """Jobs are admitted, scheduled with their claims and completed; their commands are tested elsewhere."""
    cron = await plane.api.get("batch/v1", "CronJob", "shop-pastelka-backup-record", NAMESPACE)
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "record-now"}}
    job["spec"] = (cron or {})["spec"]["jobTemplate"]["spec"]
    await _runs_to_its_end(plane, [job])
    asked = ("--set", "afterRestore.enabled=true,afterRestore.record=record-Mon-10.json")
    for dry in ("true", "false"):
        objects = await release.template(
            values, "after-restore", *asked, "--set", f"afterRestore.dryRun={dry}"
        )
        await _runs_to_its_end(plane, objects)
    await _runs_to_its_end(plane, await release.template(values, "migration"))
    figures.add_milestone("backup-record, after-restore and the migration run as Jobs of their own")


async def _runs_to_its_end(plane: ControlPlane, objects: list[Object]) -> None:
    """Apply the objects, wait until the Job is complete, and delete them."""
    (job,) = [one["metadata"]["name"] for one in objects if one["kind"] == "Job"]
    for one in objects:
        assert (await plane.api.apply(one, NAMESPACE)).warnings == ()

    async def complete() -> bool:
        found = await plane.api.get("batch/v1", "Job", job, NAMESPACE)
        return bool((found or {})["status"].get("succeeded"))

    await until(complete, SLOW)
    for one in objects:
        await plane.api.delete(one["apiVersion"], one["kind"], one["metadata"]["name"], NAMESPACE)


async def test_uninstall(plane: ControlPlane, release: Release, figures: Figures) -> None:
    """Only the objects that existed before remain."""
    await release.uninstall()

    async def gone() -> bool:
        return not await release.pods()

    await until(gone, SLOW)
    figures.add_milestone("release uninstalled")
    by_kubernetes = {"ConfigMap/kube-root-ca.crt", "ServiceAccount/default"}
    claims = {"PersistentVolumeClaim/files", "PersistentVolumeClaim/records"}
    operators = {"Secret/database", "Secret/hub", *claims}
    passing = {"Event", "Lease"}

    async def left() -> bool:
        objects = await plane.api.everything(NAMESPACE)
        kept = names([one for one in objects if one["kind"] not in passing])
        return kept == by_kubernetes | operators

    await until(left, SLOW)
