"""Makes pages as a worker process does, with nothing else imported, and measures the cost of each.

``python -m tests.bench.art.page_cost`` reads the models and the jobs from standard input and writes a
``MadePage`` for each job, all pickled.
"""

import os
import pickle
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from pastelka_coloring.providers.local.job import Models, PageJob, color, load


@dataclass(frozen=True)
class MadePage:
    """A page as PNG, its CPU seconds, and the process's peak memory so far, in MB."""

    png: bytes
    seconds: float
    megabytes: float


def make(job: PageJob, models: Models) -> MadePage:
    """Make a page. Raises ``RuntimeError`` if the photo has none."""
    started = time.process_time()
    outcome = color(job, models)
    if outcome.code:
        raise RuntimeError(f"{job.photo.name}: {outcome.message}")
    seconds = time.process_time() - started
    return MadePage(outcome.page, seconds, _peak_megabytes())


def _peak_megabytes() -> float:
    """Peak memory of this process, without that of the one that started it.

    On Linux ``ru_maxrss`` includes the starting process, whose memory this one shares until its exec.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)  # in bytes on macOS
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def main() -> None:
    """Make the pages in order."""
    # The log is printed to standard output, which carries the pages.
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    models, jobs = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by ``making.pages``
    load(models)
    for job in jobs:
        pickle.dump(make(job, models), output)
        output.flush()


if __name__ == "__main__":
    # Under its own name, so that the pickled class is found.
    from tests.bench.art import page_cost

    page_cost.main()
