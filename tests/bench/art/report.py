"""Writes the tables of docs/art.md, the contact sheet and the README's picture."""

import os
from dataclasses import dataclass
from pathlib import Path
from string import Template

import numpy as np
from PIL import Image

from tests.bench.art.comparison import Drawn, Vector, rendered, vector_of
from tests.bench.art.measures import Measures
from tests.bench.art.photos import KINDS, WEAK

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


@dataclass(frozen=True)
class Row:
    """Mean over all pages of one method, CPU seconds per page, and peak memory in MB."""

    measures: Measures
    seconds: float | None
    megabytes: float | None


def document(
    rows: dict[str, Row], single: dict[str, Measures], vectors: dict[str, Vector], seconds: float
) -> str:
    """The text of docs/art.md."""
    return Template(_DOCUMENT.read_text()).substitute(
        count=len(single),
        minutes=f"{seconds / 60:.0f}",
        processors=os.cpu_count(),
        table=_table(rows),
        single=_single(single, vectors),
        weak="\n".join(f"- **{name}**: {sentence}" for name, sentence in WEAK.items()),
    )


def _table(rows: dict[str, Row]) -> str:
    head = ["", *_COLUMNS.values(), "CPU s", "peak MB"]
    lines = [head, ["---"] * len(head)]
    for name, row in rows.items():
        cost = [_number(row.seconds), _number(row.megabytes)]
        lines.append([name, *(_number(getattr(row.measures, key)) for key in _COLUMNS), *cost])
    return _markdown(lines)


def _single(single: dict[str, Measures], vectors: dict[str, Vector]) -> str:
    keys = ["closed", "ends", "fillable", "tiny", "slivers", "largest", "ink", "specks"]
    head = ["photo", "", *(_COLUMNS[key] for key in keys), "SVG KB", "different, %"]
    lines = [head, ["---"] * len(head)]
    for name, measures in single.items():
        vector = [_number(vectors[name].kilobytes), f"{vectors[name].different:.2f}"]
        lines.append([name, KINDS[name], *(_number(getattr(measures, key)) for key in keys), *vector])
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
