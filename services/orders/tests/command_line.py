"""The result of a command of ``python -m pastelka_orders``."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple


class Result(NamedTuple):
    """Exit status and output of a command."""

    code: int
    out: str
    err: str


Command = Callable[..., Awaitable[Result]]
