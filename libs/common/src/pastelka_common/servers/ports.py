"""Free ports on loopback."""

import secrets
import socket
import threading

_LOWEST, _HIGHEST = 15000, 32000
"""Below the range from which systems take the local ports of outgoing connections (32768 and up
on Linux), so that a server which is started again finds its port still free."""

_given: set[int] = set()
_lock = threading.Lock()


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on ``port`` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port without a listener; never the same one twice in a process.

    Another process may take it before it is used: the caller then retries with another port.
    """
    with _lock:
        while True:
            port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
            if port not in _given and is_free(port):
                _given.add(port)
                return port
