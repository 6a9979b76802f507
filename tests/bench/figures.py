"""The figures: names, reference values, and the table that shows them.

Nothing in here is a result. ``original`` was measured on the system that Pastelka replaces, from outside,
with real PostgreSQL, Redis and hub and faked providers, on two cores (medians of 3); ``target`` is Pastelka's
own goal. README.md gives the sources of both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; ``better`` is its direction of improvement."""

    title: str
    unit: str
    better: Literal["lower", "higher"]
    original: float | None = None
    target: float | None = None


def _lower(title: str, unit: str, *, original: float | None = None, target: float | None = None) -> Figure:
    return Figure(title, unit, "lower", original, target)


def _higher(title: str, unit: str, *, original: float | None = None, target: float | None = None) -> Figure:
    return Figure(title, unit, "higher", original, target)


OUR_SERVICES = ("api", "worker", "coloring", "vectorize", "notifier")
"""Processes counted as our services."""
INFRASTRUCTURE = ("postgres", "nats", "mercure", "nginx")
"""Processes counted as infrastructure."""

_STAGES = {
    "counts": "counts of the stages",
    "attention": "list of the stage attention",
    "to_review": "list of the stage to_review",
    "shipped": "list of the stage shipped",
}

FIGURES: dict[str, Figure] = {
    "fact_to_event.median": _lower(
        "fact published -> subscriber's event, median", "ms", original=38, target=15
    ),
    "fact_to_event.p99": _lower("fact published -> subscriber's event, 99th percentile", "ms", original=137),
    "transitions.rate": _higher("status changes, first fact -> last event", "1/s", original=16, target=500),
    "transitions.committed": _higher("status changes committed to the database", "1/s"),
    "images.rate": _higher("images through RunPod (instant fake)", "1/s", original=2.7, target=25),
    "images.events": _higher("events at the subscriber meanwhile", "1/s", original=16),
    "images.cpu": _lower("CPU an image, our services", "ms", original=676, target=60),
    "images.cpu_all": _lower("CPU an image, with infrastructure", "ms"),
    **{f"images.cpu.{name}": _lower(f"    of it {name}", "ms") for name in (*OUR_SERVICES, *INFRASTRUCTURE)},
    "jobs.seconds": _lower("200 RunPod jobs of 10 s, click -> last completed", "s", original=188, target=15),
    "jobs.in_progress": _higher("RunPod jobs in progress at most", "", original=16),
    "jobs.memory": _lower("memory of our services meanwhile, at most (PSS)", "MiB"),
    "jobs.memory_all": _lower("memory of all processes meanwhile, at most (PSS)", "MiB", original=1036),
    "http.image.rate": _higher("GET single image, 8 connections", "1/s", original=238, target=1000),
    "http.order.rate": _higher("GET order of 10 images, 8 connections", "1/s", original=129),
    "http.list.rate": _higher("GET first 50 orders, 8 connections", "1/s", original=99),
    "http.image.alone": _lower("GET single image, alone, median", "ms", original=5.0),
    "http.order.alone": _lower("GET order of 10 images, alone, median", "ms", original=6.1),
    "http.list.alone": _lower("GET first 50 orders, alone, median", "ms", original=11.4),
    "click.median": _lower("click -> job at the provider, median", "ms", original=550),
    "click.p99": _lower("click -> job at the provider, 99th percentile", "ms", original=978),
    "broker.synced.alone": _lower("publish to acknowledgement, every write synced, median", "ms"),
    "broker.unsynced.alone": _lower("the same, synced every two minutes", "ms"),
    "broker.synced.batches": _higher("events in atomic batches of 100, every write synced", "1/s"),
    "broker.unsynced.batches": _higher("the same, synced every two minutes", "1/s"),
    **{
        f"search.{kind}.{part}": _lower(f"search of 1,000,000 orders, {what}, {of}", "ms", target=target)
        for kind, what in {
            "rare": "rare words",
            "common": "common words",
            "absent": "absent words",
            "letter": "one character",
        }.items()
        for part, of, target in (("median", "median", None), ("p99", "99th percentile", 30))
    },
    **{
        f"stages.{name}.{size}.median": _lower(f"{what}, {size:,} orders, median", "ms")
        for name, what in _STAGES.items()
        for size in (1_000, 1_000_000)
    },
    **{
        f"stages.{name}.quotient": _lower(f"{what}, of 1,000,000 orders by of 1,000", "", target=1.3)
        for name, what in _STAGES.items()
    },
    "dashboard.javascript": _lower("JavaScript of the first load, compressed", "KB", target=150),
    "dashboard.badge.median": _lower(
        "hub's event -> painted badge, 100 images open, median", "ms", target=100
    ),
    "dashboard.badge.p99": _lower("hub's event -> painted badge, 99th percentile", "ms", target=100),
    "dashboard.event_requests": _lower("requests for each image_status", "", target=1),
    "dashboard.other_requests": _lower("other requests during the 200 events (how long runs take)", ""),
    "dashboard.event_bytes": _lower("largest answer to an image_status", "B", target=1024),
    "dashboard.order_requests": _lower("requests to open an order of 100 images", ""),
    "dashboard.shift": _lower("layout shift while it opens (CLS)", "", target=0.01),
    "dashboard.dropped": _lower("frames dropped, scrolling 10,000 orders", "%"),
    "dashboard.longest_frame": _lower("longest frame meanwhile", "ms"),
}

_HEAD = ("figure", "median", "min .. max", "", "original", "better by", "target", "met")


class Results:
    """The measured values, one per repeat."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def record(self, name: str, value: float) -> None:
        """Add the value of one repeat for the figure ``name``. Raises ``KeyError`` for an unknown figure."""
        self._values.setdefault(_known(name), []).append(value)

    @property
    def missed(self) -> list[str]:
        """Names of the figures whose median misses its target."""
        return [name for name, values in self._values.items() if _met(FIGURES[name], median(values)) is False]

    def as_json(self) -> dict[str, Mapping[str, object]]:
        """All results as JSON."""
        return {name: _entry(FIGURES[name], values) for name, values in self._values.items()}

    def table(self) -> str:
        """All results as a table."""
        rows: list[tuple[str, ...]] = [_HEAD]
        rows += [_row(FIGURES[name], self._values[name]) for name in FIGURES if name in self._values]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
        lines = [_line(row, widths) for row in rows]
        lines.insert(1, "-" * len(lines[0]))
        return "\n".join(lines)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` (0..1) of ``values`` do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def _known(name: str) -> str:
    if name not in FIGURES:
        raise KeyError(f"no figure is called {name!r}")
    return name


def _met(figure: Figure, value: float) -> bool | None:
    if figure.target is None:
        return None
    return value <= figure.target if figure.better == "lower" else value >= figure.target


def _ratio(figure: Figure, value: float) -> float | None:
    """Factor of improvement over the original."""
    if figure.original is None or value <= 0:
        return None
    return figure.original / value if figure.better == "lower" else value / figure.original


def _entry(figure: Figure, values: Sequence[float]) -> Mapping[str, object]:
    middle = median(values)
    return {
        "title": figure.title.strip(),
        "unit": figure.unit,
        "better": figure.better,
        "values": list(values),
        "median": middle,
        "original": figure.original,
        "better_by": _ratio(figure, middle),
        "target": figure.target,
        "met": _met(figure, middle),
    }


def _row(figure: Figure, values: Sequence[float]) -> tuple[str, ...]:
    middle = median(values)
    ratio, met = _ratio(figure, middle), _met(figure, middle)
    bound = "<=" if figure.better == "lower" else ">="
    return (
        figure.title,
        _number(middle),
        f"{_number(min(values))} .. {_number(max(values))}",
        figure.unit,
        "" if figure.original is None else _number(figure.original),
        "" if ratio is None else f"{_number(ratio)}x",
        "" if figure.target is None else f"{bound} {_number(figure.target)}",
        {True: "yes", False: "NO", None: ""}[met],
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = [
        cell.ljust(width) if column in {0, 3} else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join([first, *rest]).rstrip()


def _number(value: float) -> str:
    """Three significant digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return (
        f"{value:.1f}"
        if value >= 10
        else f"{value:.2g}"
        if value < 1
        else f"{value:.2f}".rstrip("0").rstrip(".")
    )
