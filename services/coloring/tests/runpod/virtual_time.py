"""Time that passes at once: for tests of waiting and rates that must not judge the machine."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_TICK = 1e-6
"""Seconds that pass in any case, so that a wait of a rounding error ends."""


def in_virtual_time(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` in an event loop of its own, whose clock jumps to the next timer when nothing is to do.

    ``work`` may use timers only: no sockets, threads or processes.
    """
    with asyncio.Runner(loop_factory=_VirtualTimeLoop) as runner:
        return runner.run(work)


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: adds the time it would have waited to ``now`` (seconds)."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing is left to wait for but the outside world")
        self.now += max(_TICK, timeout)
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        return ready


class _VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _JumpingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now
