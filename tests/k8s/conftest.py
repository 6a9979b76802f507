"""The cluster, the servers beside it and the release, shared by all tests of this folder."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from pastelka_common.testing.fake_runpod import FakeRunpod
from pastelka_local.testing import RunningStack, StackOptions
from tests.k8s import keda
from tests.k8s.control_plane import ControlPlane
from tests.k8s.figures import Figures
from tests.k8s.release import Release
from tests.k8s.schemas import crd_files

NAMESPACE = "pastelka"
RESTRICTED = {f"pod-security.kubernetes.io/{kind}": "restricted" for kind in ("enforce", "warn", "audit")}
_START_SECONDS = 300.0
_FIGURES = pytest.StashKey[Figures]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin the report."""
    config.stash[_FIGURES] = Figures(time.monotonic())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the report."""
    terminalreporter.write_line("")
    for line in config.stash[_FIGURES].lines():
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    """The report printed at the end."""
    return pytestconfig.stash[_FIGURES]


@pytest.fixture(autouse=True)
def _timed(request: pytest.FixtureRequest, figures: Figures) -> Iterator[None]:
    started = time.monotonic()
    yield
    figures.test(request.node.name, time.monotonic() - started)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def plane(tmp_path_factory: pytest.TempPathFactory, figures: Figures) -> AsyncIterator[ControlPlane]:
    """The control plane with KEDA, two nodes, and a namespace under the standard *restricted*."""
    async with ControlPlane(tmp_path_factory.mktemp("cluster")) as cluster:
        figures.add_milestone("control plane with two nodes")
        await keda.start(cluster)
        figures.add_milestone("KEDA")
        for file in crd_files():
            await cluster.api.apply(yaml.safe_load(file.read_text()))
        await make_namespace(cluster, NAMESPACE)
        yield cluster


async def make_namespace(cluster: ControlPlane, name: str) -> None:
    """Create a namespace that admits restricted pods only."""
    labels = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}
    await cluster.api.create(labels)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def runpod() -> AsyncIterator[FakeRunpod]:
    """A fake RunPod whose jobs run until a test completes them."""
    async with FakeRunpod() as fake:
        yield fake


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(
    tmp_path_factory: pytest.TempPathFactory, runpod: FakeRunpod, figures: Figures
) -> AsyncIterator[RunningStack]:
    """Real PostgreSQL, nats-server and hub, orders API and worker; the tests start coloring."""
    env = {
        "COLORING_PROVIDER": "runpod",
        "RUNPOD_API_KEY": runpod.settings.api_key,
        "RUNPOD_ENDPOINT_ID": "coloring",
        "RUNPOD_BASE_URL": runpod.base_url,
        "RUNPOD_POLL_INTERVAL": "0.5",
    }
    options = StackOptions(env=env, services=())
    async with RunningStack(tmp_path_factory.mktemp("stack"), options) as running:
        await asyncio.gather(
            *(running.add(kind, kind, deadline=_START_SECONDS) for kind in ("api", "worker"))
        )
        figures.add_milestone("PostgreSQL, NATS, hub, orders API and worker")
        yield running


@pytest.fixture(scope="session")
def release(plane: ControlPlane) -> Release:
    """The release that the tests install, upgrade and remove in sequence."""
    return Release(plane, NAMESPACE)


@pytest.fixture(scope="session")
def values(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of the release's values file; the test that installs the release writes it."""
    return tmp_path_factory.mktemp("values") / "values.yaml"
