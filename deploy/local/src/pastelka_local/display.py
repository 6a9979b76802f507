"""Terminal output: a live table on a terminal, plain lines elsewhere."""

import sys
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from pastelka_local.health import ProcessState, StackState


class Display(Protocol):
    """Shows the steps, the processes and finally the addresses."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def step(self, line: str) -> None:
        """Show that a step begins."""

    def state(self, state: StackState) -> None:
        """Show the state of the processes."""

    def headline(self, line: str) -> None:
        """Show a permanent headline."""


def display() -> Display:
    """The display for this kind of output."""
    return LiveDisplay() if sys.stdout.isatty() else PlainDisplay()


def table(state: StackState) -> Table:
    """Table of all processes with pid, port and health."""
    lines = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for title in ("process", "pid", "port", "health"):
        lines.add_column(title, justify="right" if title in {"pid", "port"} else "left")
    for process in state.processes:
        lines.add_row(process.name, _number(process.pid), _number(process.port), _health(process))
    return lines


class PlainDisplay:
    """Prints one line per event, for logs and CI."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._known: dict[str, ProcessState] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()

    def step(self, line: str) -> None:
        """Print the step with the seconds since the start."""
        print(f"[{time.monotonic() - self._began:6.1f} s] {line}", flush=True)

    def headline(self, line: str) -> None:
        """Print the headline unchanged."""
        print(line, flush=True)

    def state(self, state: StackState) -> None:
        """Print processes whose health has changed."""
        for process in state.processes:
            before = self._known.get(process.name)
            if process.healthy != (before is not None and before.healthy):
                self.step(
                    f"{process.name}: {'ready' if process.healthy else 'not ready'} (pid {process.pid})"
                )
            self._known[process.name] = process


class LiveDisplay:
    """Live table of the processes, with the steps above and the headline below."""

    def __init__(self) -> None:
        self._console = Console()
        self._step: Spinner | None = None
        self._state = StackState(())
        self._headline = ""
        self._live = Live(console=self._console, refresh_per_second=8, get_renderable=self._render)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._step = None
        self._live.stop()

    def step(self, line: str) -> None:
        """Show the step with a spinner."""
        self._step = Spinner("dots", text=Text(line))

    def headline(self, line: str) -> None:
        """Show the headline below the table in place of the step."""
        self._step, self._headline = None, line

    def state(self, state: StackState) -> None:
        """Update the table."""
        self._state = state

    def _render(self) -> RenderableType:
        parts: list[RenderableType] = [table(self._state)] if self._state.processes else []
        if self._step is not None:
            parts += [Text(""), self._step]
        if self._headline:
            parts += [Text(""), Text(self._headline, style="bold")]
        return Group(*parts)


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _health(process: ProcessState) -> Text:
    if process.healthy:
        return Text("● ready", style="green")
    if not process.pid:
        return Text("○ down", style="red")
    return Text(f"○ not ready: {process.problem}" if process.problem else "○ not ready", style="yellow")
