"""Children of a test, of which any may end at any moment."""

import subprocess
import sys

import psutil
import pytest

from pastelka_common.testing.processes import children_running

MODULE = "pastelka.some_module"


@pytest.fixture
def child():
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()", MODULE], stdin=subprocess.PIPE
    ) as process:
        yield process
        process.kill()


def test_children_are_found_by_their_module(child):
    assert children_running(MODULE) == {child.pid}
    assert not children_running("pastelka.another_module")


def test_a_child_that_ends_while_it_is_looked_at_is_left_out(child, monkeypatch):
    cmdline = psutil.Process.cmdline

    def ends_first(process):
        if process.pid == child.pid:
            child.kill()
            child.wait()
        return cmdline(process)

    monkeypatch.setattr(psutil.Process, "cmdline", ends_first)
    assert not children_running(MODULE)
