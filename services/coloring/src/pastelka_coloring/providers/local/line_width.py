"""Adapts line widths to the page: bolder with few lines, finer with many."""

from dataclasses import replace

import numpy as np

from pastelka_coloring.providers.local.page import draw
from pastelka_coloring.providers.local.resizing import Shape
from pastelka_coloring.providers.local.strokes import Ink, Stroke

# Share of the page, without its frame, that lines of normal weight cover.
_MIN_INK, _MAX_INK = 0.053, 0.067
_NARROWER, _WIDER = 0.7, 1.5


def even_ink(strokes: list[Stroke], shape: Shape, weight: float) -> list[Stroke]:
    """Return strokes with line widths scaled so that the page has 5 to 7 % ink, times ``weight``.

    ``shape`` is that of the map whose pixels the strokes are in. Areas are unchanged.
    """
    ink = ink_of(strokes, shape) / weight
    if ink <= 0:
        return strokes
    factor = float(np.clip(np.clip(ink, _MIN_INK, _MAX_INK) / ink, _NARROWER, _WIDER))
    return [
        replace(stroke, width=stroke.width * factor) if stroke.ink is Ink.LINE else stroke
        for stroke in strokes
    ]


def ink_of(strokes: list[Stroke], shape: Shape) -> float:
    """Return the share of a page that its strokes cover."""
    size = shape[::-1]
    return 1 - float(draw(strokes, size, size).mean()) / 255
