"""Compares a page with its SVG."""

import io
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image

from tests.bench.art import making

_PIXELS = 1e6


@dataclass(frozen=True)
class Drawn:
    """A page as PNG, and its gray levels at about a megapixel."""

    png: bytes
    gray: NDArray[np.uint8]


@dataclass(frozen=True)
class Vector:
    """The SVG of a page: its size in KB, and the share of pixels (percent) that it draws differently."""

    kilobytes: float
    different: float


def drawn_of(png: bytes) -> Drawn:
    """Decode a page, reduced to a megapixel where it is larger."""
    with Image.open(io.BytesIO(png)) as image:
        gray = np.asarray(image.convert("L"))
    smaller = (_PIXELS / gray.size) ** 0.5
    if smaller < 0.99:
        gray = np.asarray(
            cv2.resize(gray, None, fx=smaller, fy=smaller, interpolation=cv2.INTER_AREA), np.uint8
        )
    return Drawn(png, gray)


def compare(page: Drawn) -> Vector:
    """Trace a page, render the SVG at the page's size, and compare both at half gray."""
    svg = vector_of(page)
    drawn = rendered(svg, page.gray.shape)
    different = (drawn < 128) != (page.gray < 128)
    return Vector(len(svg) / 1024, 100 * float(different.mean()))


def vector_of(page: Drawn) -> bytes:
    """The SVG of a page."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "page.png")
        file.write_bytes(page.png)
        return making.svg(file)


def rendered(svg: bytes, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Render an SVG at a height and width in pixels, as gray levels."""
    # A size in pixels: resvg rounds one in millimeters up, and shifts the drawing by the difference.
    size = 'width="{1}" height="{0}"'.format(*shape)
    text = re.sub(r'width="[\d.]+mm" height="[\d.]+mm"', size, svg.decode(), count=1)
    with Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text, background="#ffffff")))) as image:
        return np.asarray(image.convert("L"))
