"""The regions of a two-color page and how they lie in each other.

Ink is connected over corners (8 neighbors), paper only over edges (4): so every region but the
outermost lies in exactly one other, of the other color (Rosenfeld and Pfaltz, "Sequential
operations in digital picture processing", J. ACM 13(4), 1966), and the regions are a tree whose
levels alternate in color.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_vectorize.providers.local.bitmap import Ink

Labels = NDArray[np.int32]
Indexes = NDArray[np.int64]

SMALLEST = 4e-6
"""Regions smaller than this part of the page are dust, and left out."""

MAX_REGIONS = 4_000
"""At most so many regions are drawn, the largest: work and file are bounded whatever the page."""


@dataclass(frozen=True, slots=True)
class Region:
    """One connected area of ink or paper.

    ``left, top, width, height`` bound it in pixels of the padded page (one pixel of paper all
    around). ``depth`` is 0 for the outermost paper, 1 for the ink on it, 2 for paper inside that
    ink, and so on; ``parent`` is the number of the region it lies in.
    """

    number: int
    parent: int
    depth: int
    ink: bool
    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Regions:
    """All regions of a page, and ``labels`` (padded page): to which one each pixel belongs."""

    labels: Labels
    drawn: list[Region]
    """Regions to draw, in painting order: what lies in another comes after it. Without the outermost paper."""


def find_regions(ink: Ink) -> Regions:
    """Find the regions of ``ink`` (height x width, true is ink)."""
    padded = np.pad(ink, 1).view(np.uint8)
    papers, labels, paper_stats, _ = cv2.connectedComponentsWithStats(1 - padded, connectivity=4)
    _, ink_labels, ink_stats, _ = cv2.connectedComponentsWithStats(padded, connectivity=8)
    # One numbering: paper 1.., then ink; label 0 of either is the other color.
    np.copyto(labels, ink_labels + (papers - 1), where=ink_labels > 0)
    del ink_labels
    stats = np.vstack([paper_stats[:1], paper_stats[1:], ink_stats[1:]]).astype(np.int64)
    parents, order = _nesting(labels.astype(np.int32, copy=False), len(stats))
    return Regions(labels.astype(np.int32, copy=False), _tree(stats, parents, order, papers))


def _nesting(labels: Labels, count: int) -> tuple[Indexes, Indexes]:
    """The parent of each region, and all regions with parents before children.

    The pixel above a region's first pixel (topmost, then leftmost) belongs to its parent, and the
    parent's own first pixel comes before it.
    """
    flat = labels.ravel()
    first = np.zeros(count, dtype=np.int64)
    first[flat[::-1]] = np.arange(flat.size - 1, -1, -1)  # the last write, the first pixel, stays
    parents = flat[np.maximum(first - labels.shape[1], 0)].astype(np.int64)
    order = np.argsort(first[1:], kind="stable") + 1
    return parents, order


def _tree(stats: Indexes, parents: Indexes, order: Indexes, papers: int) -> list[Region]:
    outermost = int(order[0])
    areas = stats[:, cv2.CC_STAT_AREA]
    kept = {outermost: 0} | dict.fromkeys(_worth_drawing(areas, outermost), 0)
    drawn: list[Region] = []
    for number in map(int, order[1:]):
        if number not in kept:
            continue
        parent = int(parents[number])
        if parent not in kept:  # in dust, or on it: nothing to see around it
            del kept[number]
            continue
        kept[number] = kept[parent] + 1
        left, top, width, height = map(int, stats[number, :4])
        drawn.append(Region(number, parent, kept[number], number >= papers, left, top, width, height))
    return sorted(drawn, key=lambda region: region.depth)


def _worth_drawing(areas: Indexes, outermost: int) -> list[int]:
    smallest = max(1.0, areas[1:].sum() * SMALLEST)
    numbers = np.flatnonzero(areas >= smallest)
    largest_first = numbers[np.argsort(-areas[numbers], kind="stable")]
    return [int(number) for number in largest_first[:MAX_REGIONS] if number not in (0, outermost)]
