"""``python -m tests.faults.report DIR``: writes ``docs/faults.md`` from the results of runs.

``DIR`` holds the output of ``python -m tests.faults --json DIR``. No figure in the document is typed by hand;
a missing test of the table is an error.
"""

import argparse
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tests.faults.known import KNOWN, KnownFault
from tests.faults.result import FaultResult, Result

_ROOT = Path(__file__).parents[2]
DOCUMENT = _ROOT / "docs" / "faults.md"
_BEGIN, _END = "<!-- runs -->", "<!-- end of runs -->"


def main() -> int:
    """0 if the document was written, 1 if a test of the table is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.report", description=__doc__)
    parser.add_argument("results", type=Path, metavar="DIR")
    arguments = parser.parse_args()
    missing = missing_tests()
    if missing:
        sys.stderr.write("\n".join(f"there is no test {name}" for name in missing) + "\n")
        return 1
    text = DOCUMENT.read_text(encoding="utf-8")
    runs = [Result.read(path) for path in sorted(arguments.results.glob("full*.json"))]
    text = _between(text, _BEGIN, _END, of_runs(runs) + _upgrade(arguments.results / "upgrade.json"))
    text = _between(text, "<!-- known -->", "<!-- end of known -->", of_known(runs))
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0


def missing_tests() -> list[str]:
    """Tests in the table that do not exist."""
    names = sorted({name for known in KNOWN for name in known.tests})
    return [name for name in names if not _exists(name)]


def _exists(name: str) -> bool:
    file, _, function = name.partition("::")
    path = _ROOT / file
    return path.exists() and f"def {function}(" in path.read_text(encoding="utf-8")


def of_known(runs: Sequence[Result]) -> str:
    """The table of the faults of the former system."""
    rows = [f"| {k.number} | {k.was} | {k.now} | {_tests(k)} | {_recovery(k, runs)} |" for k in KNOWN]
    head = [
        "| | what went wrong | what happens now | tests | recovery, median (longest), s |",
        "| --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows])


def _recovery(known: KnownFault, runs: Sequence[Result]) -> str:
    """Time from the component's return to the end of all work that was in progress then."""
    single = [fault for run in runs if not run.cluster for fault in run.faults]
    return "<br>".join(
        f"{name}: {_spread([fault.recovered for fault in single if fault.name == name])}"
        for name in known.provoked_by
    )


def _upgrade(path: Path) -> str:
    if not path.exists():
        return ""
    done = json.loads(path.read_text())
    return (
        f"\n\nA rolling restart of {done['restarts']} processes under load, from messages of the past to "
        f"those of the future: {done['images']} images, {done['requests']:,} API requests, the slowest of "
        f"which took {done['slowest']:.1f} s; {len(done['violations'])} violations."
    )


def _tests(known: KnownFault) -> str:
    return "<br>".join(f"`{name.partition('::')[2]}` ({name.partition('::')[0]})" for name in known.tests)


def of_runs(runs: Sequence[Result]) -> str:
    """Tables of the runs, and of how long recovery took from each kind of fault."""
    parts = [_runs_table(runs), _recovery_table(runs)]
    twice = sum(len(run.paid_twice) for run in runs)
    submits = sum(run.submits + run.charges for run in runs)
    parts.append(
        f"Of {submits:,} paid requests in these runs {twice} were repetitions within a run, each in the "
        "window that no client can close."
    )
    return "\n\n".join(parts)


def _runs_table(runs: Sequence[Result]) -> str:
    lines = [
        "| run | images | faults | clicks | API requests | all completed after the last recovery, s "
        "| violations |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for run in sorted(runs, key=lambda run: (run.cluster, run.seed)):
        broker = "cluster" if run.cluster else "one server"
        lines.append(
            f"| seed {run.seed}, {broker} | {run.images} | {len(run.faults)} | {sum(run.clicks.values())} "
            f"| {run.requests:,} | {_number(run.recovered)} | {len(run.violations)} |"
        )
    return "\n".join(lines)


def _recovery_table(runs: Sequence[Result]) -> str:
    faults: defaultdict[str, list[FaultResult]] = defaultdict(list)
    for run in runs:
        for fault in run.faults:
            faults[fault.name + (", cluster" if run.cluster else "")].append(fault)
    lines = [
        "| fault | times | recovery to the next status change, median (longest), s "
        "| recovery to the end of the work in progress, median (longest), s |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, done in sorted(faults.items()):
        progress = _spread([fault.progress for fault in done])
        recovered = _spread([fault.recovered for fault in done])
        lines.append(f"| {name} | {len(done)} | {progress} | {recovered} |")
    return "\n".join(lines)


def _spread(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    return f"{statistics.median(known):.1f} ({max(known):.1f})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _between(text: str, begin: str, end: str, content: str) -> str:
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n\n{content}\n\n{end}{after}"


if __name__ == "__main__":
    sys.exit(main())
