"""The markers that say what a test needs, and what happens to a test that needs more than it says."""

import pytest

pytest_plugins = ["pytester"]

_TESTS = """
import pytest
from pathlib import Path
from pastelka_common.servers import NatsServer, running

@pytest.fixture
def topic(nats_server):
    return nats_server.url

def test_of_a_server(topic):
    pass

async def test_that_starts_one_itself(tmp_path: Path):
    async with running(NatsServer(folder=tmp_path)):
        pass

def test_of_nothing():
    pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """Tests of which one says what it needs by its fixture, and one does not say it."""
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = session\n")
    pytester.makepyfile(test_some=_TESTS)
    return pytester


def test_a_server_fixture_marks_tests_that_use_it_indirectly(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("--collect-only", "-q", "-m", "server")
    result.stdout.fnmatch_lines(["test_some.py::test_of_a_server"])
    result.stdout.fnmatch_lines(["1/3 tests collected (2 deselected)*"])


def test_a_test_without_the_server_marker_cannot_start_a_server(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("-m", "not server")
    result.assert_outcomes(passed=1, failed=1, deselected=1)
    result.stdout.fnmatch_lines(
        ["*ServerError: test_some.py::test_that_starts_one_itself starts nats but has no marker `server`*"]
    )


@pytest.mark.parametrize(("folder", "marker"), [("faults", "faults"), ("k8s", "server"), ("chart", "slow")])
def test_the_marker_of_a_test_follows_from_its_folder(
    pytester: pytest.Pytester, folder: str, marker: str
) -> None:
    pytester.mkdir(folder)
    (pytester.path / folder / "test_it.py").write_text("def test_it(): pass\n")
    result = pytester.runpytest_subprocess("--collect-only", "-q", "-m", marker)
    result.stdout.fnmatch_lines(["1 test collected*"])
