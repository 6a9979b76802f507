"""``make test-api``: schemathesis against the running API as anonymous caller, viewer and operator."""

import argparse
import asyncio
import secrets
import tempfile
from pathlib import Path

from tests.api.campaign import Form
from tests.api.runs import findings, run
from tests.api.table import table


def main() -> int:
    """0 if nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parser.add_argument("--examples", type=int, default=40, help="for each operation, in each phase")
    parser.add_argument("--keep", type=Path, help="folder for reports and logs; otherwise they are deleted")
    arguments = parser.parse_args()
    form = Form(arguments.examples)
    forms = {"anonymous": form, "viewer": Form(arguments.examples // 4 or 1), "operator": form}
    with tempfile.TemporaryDirectory(prefix="pastelka-api-") as temporary:
        outcomes = asyncio.run(run(arguments.keep or Path(temporary), forms, arguments.seed))
    for outcome in outcomes:
        if outcome.failures:
            print(outcome.output)
    print(table(outcomes))
    found = findings(outcomes)
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
