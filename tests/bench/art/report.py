"""Writes the tables of docs/art.md, the contact sheet and the README's picture."""

from pathlib import Path
from statistics import fmean
from string import Template

import numpy as np
from PIL import Image

from tests.bench.art.comparison import Drawn, rendered, vector_of
from tests.bench.art.measures import mean
from tests.bench.art.photos import KINDS, WEAK
from tests.bench.art.results import Result

_LIMIT_BYTES = 900_000
_DOCUMENT = Path(__file__).with_name("document.md")
_COLUMNS = {
    "closed": "line between two regions, %",
    "ends": "open ends / MP",
    "fillable": "fillable regions",
    "tiny": "tiny",
    "slivers": "slivers",
    "largest": "largest region, %",
    "ink": "ink, %",
    "specks": "specks",
    "spread": "width spread",
    "precision": "precision, %",
    "recall": "recall, %",
}


def document(rows: dict[str, list[Result]], names: list[str], speedup: float | None) -> str:
    """The text of docs/art.md; ``rows`` has the results of each method in the order of the photos."""
    child, previous = rows["child"], rows["previous method"]
    return Template(_DOCUMENT.read_text()).substitute(
        count=len(names),
        table=_table(rows),
        single=_single(dict(zip(names, child, strict=True)), previous),
        bytes=f"{_bytes_for_ink(child) / _bytes_for_ink(previous):.2f}",
        speedup=_throughput(speedup, child),
        weak="\n".join(f"- **{name}**: {sentence}" for name, sentence in WEAK.items()),
    )


def _throughput(speedup: float | None, child: list[Result]) -> str:
    if speedup is None or any(each.seconds is None for each in child):
        return "CPU, memory and throughput were not measured in this run."
    return f"Two pages at a time on two cores give {speedup:.2f} times the throughput of one."


def _bytes_for_ink(results: list[Result]) -> float:
    return fmean(each.vector.kilobytes / each.measures.ink for each in results if each.vector)


def _table(rows: dict[str, list[Result]]) -> str:
    head = ["", *_COLUMNS.values(), "CPU s", "peak MB", "SVG KB", "SVG differs, %"]
    lines = [head, ["---"] * len(head)]
    for name, results in rows.items():
        means = mean([each.measures for each in results])
        seconds = [each.seconds for each in results if each.seconds is not None]
        if len(seconds) < len(results):
            seconds = []
        memory = [each.megabytes for each in results if each.megabytes is not None and seconds]
        vectors = [each.vector for each in results if each.vector is not None]
        cost = [
            _number(fmean(seconds) if seconds else None),
            _number(max(memory, default=None)),
            _number(fmean(each.kilobytes for each in vectors) if vectors else None),
            f"{fmean(each.different for each in vectors):.2f}" if vectors else "",
        ]
        lines.append([name, *(_number(getattr(means, key)) for key in _COLUMNS), *cost])
    return _markdown(lines)


def _single(child: dict[str, Result], previous: list[Result]) -> str:
    keys = ["closed", "ends", "fillable", "tiny", "slivers", "largest", "ink", "specks"]
    columns = [_COLUMNS[key] for key in keys]
    columns.insert(3, "fillable before")
    head = ["photo", "", *columns, "CPU s", "SVG KB", "SVG differs, %"]
    lines = [head, ["---"] * len(head)]
    for (name, result), before in zip(child.items(), previous, strict=True):
        cells = [_number(getattr(result.measures, key)) for key in keys]
        cells.insert(3, _number(before.measures.fillable))
        vector = [_number(result.vector.kilobytes), f"{result.vector.different:.2f}"] if result.vector else []
        lines.append([name, KINDS[name], *cells, _number(result.seconds), *vector])
    return _markdown(lines)


def _markdown(lines: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}" if value < 1 else f"{value:.1f}"


def sheet(
    photos: dict[str, Path], previous: dict[str, np.ndarray], pages: dict[str, Drawn], path: Path
) -> None:
    """Write photo, previous page and page of every photo, two photos a row."""
    cells = [
        [_opened(photos[name]), Image.fromarray(previous[name]), Image.fromarray(pages[name].gray)]
        for name in photos
    ]
    _write(_grid(cells, (300, 250), 2), path)


def picture(photos: dict[str, Path], pages: dict[str, Drawn], path: Path) -> None:
    """Write photo, page and rendered SVG of two photos: the first picture of the README."""
    chosen = [name for name in ("astronaut", "coffee") if name in pages]
    cells = [
        [
            _opened(photos[name]),
            Image.fromarray(pages[name].gray),
            Image.fromarray(rendered(vector_of(pages[name]), pages[name].gray.shape)),
        ]
        for name in chosen
    ]
    _write(_grid(cells, (420, 400), 1), path)


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as photo:
        return photo.convert("RGB")


def _grid(cells: list[list[Image.Image]], size: tuple[int, int], blocks: int) -> Image.Image:
    across = len(cells[0])
    rows = -(-len(cells) // blocks)
    canvas = Image.new("RGB", (blocks * (across * size[0] + 12), rows * size[1]), "white")
    for index, row in enumerate(cells):
        for column, image in enumerate(row):
            small = image.convert("RGB")
            small.thumbnail((size[0] - 8, size[1] - 8), Image.Resampling.LANCZOS)
            left = (index % blocks) * (across * size[0] + 12) + column * size[0]
            canvas.paste(small, (left + (size[0] - small.width) // 2, index // blocks * size[1]))
    return canvas


def _write(image: Image.Image, path: Path) -> None:
    """Write a JPEG of at most 900 KB."""
    for quality in range(88, 30, -6):
        image.save(path, quality=quality, optimize=True)
        if path.stat().st_size <= _LIMIT_BYTES:
            return
