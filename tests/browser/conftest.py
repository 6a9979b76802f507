"""One Chromium and one stack for all tests; each test has its own orders and browser contexts."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from pastelka_common.testing.fake_runpod import Control, FakeRunpod, FakeRunpodSettings
from pastelka_common.testing.fake_vectorizer import FakeVectorizer
from tests.browser.chromium import running_chromium
from tests.browser.password_gateway import PasswordGateway, start_password_gateway
from tests.browser.visitor import DisplayOptions, Visitor, arrive
from tests.system import System, running_system

Arrive = Callable[..., Awaitable[Visitor]]
"""``await visit()`` or ``await visit(DisplayOptions(...))``: a new visitor with the dashboard open.

``at=password_gateway.url`` uses the gateway that requires signing in.
"""

_failed: pytest.StashKey[bool] = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Record failed tests, to keep their screenshots."""
    report = yield
    if call.when == "call" and call.excinfo is not None:
        item.stash[_failed] = True
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Extend the timeout of the first test, which may build the dashboard and install a Chromium."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(600))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser; fails with one sentence if none can be installed."""
    async with running_chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """The whole system behind the gateway, which serves the built dashboard."""
    runpod = FakeRunpod(FakeRunpodSettings(queue_seconds=0.1, run_seconds=0.1, page="edges"))
    vectorizer = FakeVectorizer()
    folder = tmp_path_factory.mktemp("stack")
    async with running_system(folder, runpod, vectorizer, dashboard=True) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def password_gateway(
    system: System, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[PasswordGateway]:
    """A second gateway to the same system, which requires signing in."""
    async with start_password_gateway(system, tmp_path_factory.mktemp("password-gateway")) as gateway:
        yield gateway


@pytest_asyncio.fixture(loop_scope="session")
async def visit(
    request: pytest.FixtureRequest, chromium: Browser, system: System, tmp_path: Path
) -> AsyncIterator[Arrive]:
    """Creates visitors; afterwards each unannounced error of a visitor fails the test."""
    visitors: list[Visitor] = []

    async def come(look: DisplayOptions | None = None, at: str | None = None) -> Visitor:
        name = f"screen-{len(visitors) + 1}"
        assert system.stack.nginx is not None
        root = at or f"http://localhost:{system.stack.nginx.port}"
        visitors.append(await arrive(chromium, root, name, look or DisplayOptions()))
        return visitors[-1]

    yield come
    troubles = [f"{who.name}: {what}" for who in visitors for what in who.watch.unannounced()]
    if troubles or request.node.stash.get(_failed, False):
        for visitor in visitors:
            for path in await visitor.save_screenshot(tmp_path):
                print(f"kept {path}")
    for visitor in visitors:
        await visitor.context.close()
    # Remaining provider state, unused faults included, must not affect the next test.
    system.runpod.apply(Control(reset=True, release=True))
    system.vectorizer.release()
    if troubles:
        pytest.fail("the page had errors that the test did not announce:\n" + "\n".join(troubles))


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(visit: Arrive) -> Visitor:
    """A visitor with a mouse and a wide screen, Czech, light theme."""
    return await visit()
