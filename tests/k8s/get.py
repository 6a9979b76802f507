"""``python -m tests.k8s.get chart|all``: build programs and fetch schemas, with progress messages."""

import shutil
import sys

from tests.k8s import schemas
from tests.k8s.programs import CHART, CONTROL_PLANE, NO_GO, BuildError, build


def main(arguments: list[str]) -> int:
    """Build what is missing; without Go prints that the chart's tests will be skipped."""
    everything = arguments == ["all"]
    if shutil.which("go") is None:
        print(f"chart: {NO_GO}" + ("" if everything else "; the tests of the chart are skipped"))
        return 1 if everything else 0
    try:
        build((*CHART, *CONTROL_PLANE) if everything else CHART, _say)
        schemas.prepare(_say)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _say(line: str) -> None:
    print(f"chart: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
