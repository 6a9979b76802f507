"""Pictures for books, and ways to look at a PDF."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pikepdf
import pytest
from PIL import Image, ImageDraw

from pastelka_orders.book.description import Book, BookOptions, ComposedBook, OrderBooks, Picture
from pastelka_orders.book.process import BookComposer, pdf_of

MM = 25.4 / 72
DEDICATION = (
    "„Milé Aničce k pátým narozeninám, ať se ti při vybarvování splní všechna přání, ať máš vždycky dost "
    "ostrých pastelek a hodně slunce za oknem! S láskou babička Žofie a děda Řehoř z Jindřichova Hradce.“"
)


def svg(path: Path, size: tuple[int, int], color: str = "#000000") -> Path:
    """A drawing of rings as an SVG."""
    width, height = size
    ring = f'<path fill="none" stroke="{color}" stroke-width="6"'
    rings = "".join(
        f'{ring} d="M{x} {y}m-40 0a40 40 0 1 0 80 0a40 40 0 1 0-80 0"/>'
        for x in range(50, width, 120)
        for y in range(50, height, 120)
    )
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">\n<rect width="{width}" height="{height}" fill="#ffffff"/>\n'
        f"{rings}</svg>"
    )
    return path


def png(path: Path, size: tuple[int, int], mode: str = "L") -> Path:
    """The same as pixels."""
    image = Image.new("L", size, 255)
    draw = ImageDraw.Draw(image)
    for x in range(50, size[0], 120):
        for y in range(50, size[1], 120):
            draw.ellipse((x - 40, y - 40, x + 40, y + 40), outline=0, width=6)
    image.convert(mode).save(path)
    return path


def photo(path: Path, size: tuple[int, int] = (900, 600)) -> Path:
    """A photo in colors."""
    Image.effect_noise(size, 60).convert("RGB").save(path, "JPEG")
    return path


def pictures(
    folder: Path, sizes: list[tuple[int, int]], *, raster: tuple[int, ...] = ()
) -> tuple[Picture, ...]:
    """One page for each size, vectors unless its place is in ``raster``."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for place, size in enumerate(sizes):
        art = png(folder / f"{place}.png", size) if place in raster else svg(folder / f"{place}.svg", size)
        found.append(Picture(label=str(place), art=art, photo=photo(folder / f"{place}.jpg")))
    return tuple(found)


async def composed(
    folder: Path, books: OrderBooks, *, has_previews: bool = False, **options: Any
) -> tuple[ComposedBook, Path]:
    """The outcome and the PDF."""
    await anyio.Path(folder).mkdir(parents=True, exist_ok=True)
    outcome = await BookComposer().compose(books, BookOptions(**options), folder, has_previews=has_previews)
    return outcome, pdf_of(folder)


def order(*books: Book, **values: Any) -> OrderBooks:
    """An order of these books."""
    return OrderBooks(order_number="1270", customer="Jana Nováková", books=books, **values)


def box(page: pikepdf.Page, name: str) -> tuple[float, ...]:
    """A box in millimeters."""
    return tuple(float(corner) * MM for corner in page.obj[f"/{name}"].as_list())  # type: ignore[union-attr]


def tool(name: str, *arguments: str | Path) -> str:
    """What a program of Debian prints, errors included; the test is skipped where there is none."""
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed (Debian: ghostscript, poppler-utils, qpdf)")
    done = subprocess.run(
        [name, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def color_spaces(pdf: pikepdf.Pdf) -> Iterator[str]:
    """The color spaces that anything in the document uses."""
    for found in pdf.objects:
        if not isinstance(found, pikepdf.Dictionary | pikepdf.Stream):
            continue
        resources = found.get("/Resources")
        named = resources.get("/ColorSpace") if isinstance(resources, pikepdf.Dictionary) else None
        if isinstance(named, pikepdf.Dictionary):
            yield from (str(space) for space in named.as_dict().values())
        own = found.get("/ColorSpace")
        if own is not None and not isinstance(own, pikepdf.Dictionary):
            yield str(own)
