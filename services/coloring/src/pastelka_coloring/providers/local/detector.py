"""The interface of edge detectors."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class DetectedEdges(NamedTuple):
    """Probability of an edge, 0 to 1, (height, width): of all scales, and of the middle one alone.

    The middle scale (the third side output of the network) has finer lines than the fused one.
    """

    fused: NDArray[np.float32]
    middle: NDArray[np.float32]


class EdgeDetector(Protocol):
    """Estimates for each pixel of a photo the probability of an edge that a person would draw."""

    name: str

    def edges(self, photo: NDArray[np.uint8]) -> DetectedEdges:
        """Return the edges of an RGB photo, (height, width, 3), at its own size."""
