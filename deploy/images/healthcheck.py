"""``python /app/healthcheck.py [readyz]``: 0 if the service in this container is alive (or ready)."""

import http.client
import os
import sys

_TIMEOUT_SECONDS = 4


def main() -> int:
    """Request the endpoint on the service's own port."""
    path = sys.argv[1] if len(sys.argv) > 1 else "healthz"
    port = int(os.environ.get("PORT", "8000"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", f"/{path}")
        status = connection.getresponse().status
    except OSError as error:
        sys.stderr.write(f"{path}: {error}\n")
        return 1
    sys.stderr.write(f"{path}: {status}\n")
    return 0 if status == http.HTTPStatus.OK else 1


if __name__ == "__main__":
    sys.exit(main())
