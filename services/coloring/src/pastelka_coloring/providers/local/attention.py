"""Weights of lines across a photo, by focus, subject and background."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local.detail import Detail
from pastelka_coloring.providers.local.resizing import blurred, scale_of
from pastelka_coloring.providers.local.ridges import find_ridges, normalized, standing_out
from pastelka_coloring.providers.local.style import Background

# Scales of the ridges of edges and of color borders, in pixels of the map; their weights.
_EDGE_SIGMA, _COLOR_SIGMA = 2.4, 4.5
_EDGE_SHARE, _COLOR_SHARE, _COLOR_IN_CRISP, _CLEAREST = 0.62, 0.62, 0.35, 1.4
_COLOR_SOFTEST, _COLOR_HARDEST = 0.05, 0.12
# Weight of a line out of focus.
_BLURRED = 0.45
# Weight of an area inside the subject, relative to the background.
SUBJECT_WEIGHT = 1.8
# Outside the subject, dense lines are weakened: density at which this starts, its range, its amount.
_LINE, _DENSE, _DENSE_RANGE, _WEAKENED, _QUIETER = 0.33, 0.095, 0.12, 0.5, 0.95
_PATTERN, _PATTERN_RANGE, _IN_PATTERN = 0.17, 0.06, 0.85
# With background ``none``, lines outside the subject are almost removed.
_REMOVED = 0.97


@dataclass(frozen=True, slots=True)
class Lines:
    """Strength of lines, ``clear`` (height, width), about 1 for a clear one, up to 1.6.

    ``kept`` is the share of it, 0 to 1, that remains under other drawn elements.
    """

    clear: NDArray[np.float32]
    kept: NDArray[np.float32]

    def standing_out(self, surround: float | NDArray[np.float32]) -> NDArray[np.float32]:
        """Strength of lines relative to their surroundings, 0 to 1."""
        return np.asarray(standing_out(self.clear, surround) * self.kept, dtype=np.float32)


def line_strength(
    edges: NDArray[np.float32],
    borders: NDArray[np.float32],
    crispness: NDArray[np.float32],
    sharp: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the strength of lines from edges and color borders, 0 to 1.6, all (height, width)."""
    edge = np.minimum(normalized(find_ridges(edges, _EDGE_SIGMA).strength), _CLEAREST)
    color = find_ridges(borders, _COLOR_SIGMA).strength
    color = np.minimum(normalized(color, _COLOR_SOFTEST, _COLOR_HARDEST), _CLEAREST)
    both = (_EDGE_SHARE + (1 - _EDGE_SHARE) * crispness) * edge
    both += _COLOR_SHARE * (1 - _COLOR_IN_CRISP * crispness) * color
    return np.asarray(np.minimum(both * (_BLURRED + (1 - _BLURRED) * sharp), 1.6), dtype=np.float32)


def weakened(
    lines: Lines,
    salient: NDArray[np.float32],
    crispness: NDArray[np.float32],
    detail: Detail,
    background: Background,
) -> NDArray[np.float32]:
    """Return lines relative to their surroundings, weakened outside the subject.

    ``salient`` is 1 in the subject; crisp patterns of moderate density are not weakened.
    """
    near = cv2.dilate(salient, np.ones((9, 9), np.uint8))
    strength = lines.standing_out(detail.surround * (1.45 - 0.65 * salient))
    if background is Background.NONE:
        return np.asarray(strength * (1 - _REMOVED * np.clip(1.6 - 2.4 * near, 0, 1)), dtype=np.float32)
    strength *= _QUIETER + (1 - _QUIETER) * near
    reach = 0.03 * scale_of(strength.shape)
    density = blurred((strength > _LINE).astype(np.float32), reach)
    pattern = crispness * (1 - np.clip((density - _PATTERN) / _PATTERN_RANGE, 0, 1))
    dense = np.clip((density - _DENSE) / _DENSE_RANGE, 0, 1)
    weaker = _WEAKENED * (1 - near) * (1 - _IN_PATTERN * pattern) * dense
    return np.asarray(strength * (1 - weaker), dtype=np.float32)


def importance(salient: NDArray[np.float32], detail: Detail) -> NDArray[np.float32]:
    """Return the weight of areas per pixel: higher in the subject."""
    return np.asarray(detail.background + (SUBJECT_WEIGHT - detail.background) * salient, np.float32)
