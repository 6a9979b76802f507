"""``python -m pastelka_local.dashboard build|check|check-changed|generate:api``, called by the Makefile."""

import argparse
import sys

from pastelka_common.servers import ServerError
from pastelka_local.dashboard import DashboardError, dashboard
from pastelka_local.dashboard.changes import is_changed


def main() -> None:
    """Run the command; returns 0, or 1 after printing the error."""
    parser = argparse.ArgumentParser(prog="pastelka_local.dashboard", description=__doc__)
    parser.add_argument("command", choices=("build", "check", "check-changed", "generate:api"))
    try:
        _run(parser.parse_args().command)
    except (DashboardError, ServerError) as error:
        print(f"dashboard: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _run(command: str) -> None:
    match command:
        case "build":
            print(f"The dashboard is in {dashboard().dist(_say)}.")
        case "check":
            print("\n".join(dashboard().check(_say)))
        case "check-changed":
            print("\n".join(_check_changed()))
        case script:
            dashboard().run(script, _say)


def _check_changed() -> list[str]:
    """Run the quick checks if the branch changes the dashboard."""
    found = dashboard()
    return found.check(_say, quick=True) if is_changed(found.root) else ["not changed on this branch"]


def _say(line: str) -> None:
    print(f"dashboard: {line}", flush=True)


main()
