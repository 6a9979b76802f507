"""The regions of a bilevel page and their nesting.

Ink is 8-connected, paper 4-connected: so every region but the outermost lies in exactly one other, of the
other color (Rosenfeld and Pfaltz, "Sequential operations in digital picture processing", J. ACM 13(4), 1966),
and the regions are a tree whose levels alternate in color.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_vectorize.providers.local.bitmap import Ink

Labels = NDArray[np.int32]
Indexes = NDArray[np.int64]

MIN_AREA = 4e-6
"""Minimum area of a region, as a share of the page; smaller ones are omitted as dust."""

MAX_REGIONS = 4_000
"""Maximum number of drawn regions, the largest ones, to limit time and file size."""


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
    """All regions of a page, and ``labels`` (padded page): the region of each pixel."""

    labels: Labels
    drawn: list[Region]
    """In painting order: parents before children. Excludes the outermost paper."""

    @property
    def work(self) -> int:
        """Cost of tracing: pixels in the bounding boxes of the drawn regions."""
        return sum(region.width * region.height for region in self.drawn)


def find_regions(ink: Ink) -> Regions:
    """Find the regions of ``ink`` (height x width, true is ink)."""
    padded = np.pad(ink, 1).view(np.uint8)
    papers, labels, paper_stats, _ = cv2.connectedComponentsWithStats(1 - padded, connectivity=4)
    _, ink_labels, ink_stats, _ = cv2.connectedComponentsWithStats(padded, connectivity=8)
    # One numbering: paper 1.., then ink; label 0 of either is the other color.
    np.copyto(labels, ink_labels + (papers - 1), where=ink_labels > 0)
    del ink_labels
    stats = np.vstack([paper_stats, ink_stats[1:]]).astype(np.int64)
    numbered = labels.astype(np.int32, copy=False)
    parents, order = _nesting(numbered, len(stats))
    return Regions(numbered, _tree(stats, parents, order, papers))


def _nesting(labels: Labels, count: int) -> tuple[Indexes, Indexes]:
    """The parent of each region, and all regions with parents before children.

    The pixel above a region's first pixel (topmost, then leftmost) belongs to its parent, and the
    parent's own first pixel comes before it.
    """
    flat = labels.ravel()
    first = np.zeros(count, dtype=np.int64)
    first[flat[::-1]] = np.arange(flat.size - 1, -1, -1)  # the last write wins: the first pixel
    parents = flat[np.maximum(first - labels.shape[1], 0)].astype(np.int64)
    order = np.argsort(first[1:], kind="stable") + 1
    return parents, order


def _tree(stats: Indexes, parents: Indexes, order: Indexes, papers: int) -> list[Region]:
    outermost = int(order[0])
    wanted = _largest_regions(stats[:, cv2.CC_STAT_AREA], outermost)
    drawn: dict[int, Region] = {}
    for number in map(int, order[1:]):
        if number not in wanted:
            continue
        ink = number >= papers
        around = _drawn_around(number, parents, drawn, outermost)
        surrounding = drawn.get(around)
        depth = (surrounding.depth if surrounding else 0) + 1
        if ink == (surrounding.ink if surrounding else False):
            depth -= 1  # the region between was omitted: both are on one level now
        left, top, width, height = map(int, stats[number, :4])
        drawn[number] = Region(number, around, depth, ink, left, top, width, height)
    return sorted(drawn.values(), key=lambda region: region.depth)


def _drawn_around(number: int, parents: Indexes, drawn: dict[int, Region], outermost: int) -> int:
    """The innermost drawn region around ``number``, or the outermost paper."""
    around = int(parents[number])
    while around != outermost and around not in drawn:
        around = int(parents[around])
    return around


def _largest_regions(areas: Indexes, outermost: int) -> set[int]:
    smallest = max(1.0, areas[1:].sum() * MIN_AREA)
    numbers = np.flatnonzero(areas >= smallest)
    largest_first = numbers[np.argsort(-areas[numbers], kind="stable")]
    return {int(number) for number in largest_first[:MAX_REGIONS]} - {0, outermost}
