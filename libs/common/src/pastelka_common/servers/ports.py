"""Free ports on loopback."""

import secrets
import socket
import threading

_MIN_PORT, _MAX_PORT = 15000, 32000
"""Below the range of ephemeral ports (32768 and up on Linux), so that a restarted server finds its port
free."""

_reserved: set[int] = set()
_lock = threading.Lock()


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether ``port`` is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A free port; never the same one twice in a process.

    Another process may bind it before it is used: the caller then retries with another port.
    """
    with _lock:
        while True:
            port = _MIN_PORT + secrets.randbelow(_MAX_PORT - _MIN_PORT)
            if port not in _reserved and is_free(port):
                _reserved.add(port)
                return port
