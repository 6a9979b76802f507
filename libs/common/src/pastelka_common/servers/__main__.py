"""``python -m pastelka_common.servers``: builds or downloads programs before tests need them."""

import sys

from pastelka_common.servers.base import ServerError
from pastelka_common.servers.mercure_binary import mercure_binary


def main() -> int:
    """Provide the Mercure hub; returns 1, with a message, if that fails."""
    try:
        mercure_binary(_print)
    except ServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _print(line: str) -> None:
    sys.stdout.write(f"mercure: {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
