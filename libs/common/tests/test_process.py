"""A service ends on SIGTERM, and with an error if one of its parts failed."""

import signal
import subprocess
import sys

import pytest

SCRIPT = """
from pastelka_common import process
from pastelka_common.settings import ServiceSettings
async def run(settings, stop):
    print("up", flush=True)
    await stop.wait()
    print("handed back", flush=True)
process.main("test", ServiceSettings, run)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_shuts_down_gracefully(number: signal.Signals):
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        assert "handed back" in process.communicate(timeout=10)[0]
        assert process.returncode == 0
