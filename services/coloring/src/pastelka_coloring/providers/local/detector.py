"""The edge detector: the network where it is installed, classical filters where it is not."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class DetectedEdges(NamedTuple):
    """Probability of an edge, 0 to 1, (height, width): of all scales, and of the middle one alone.

    The middle scale (the third side output of the network) holds finer lines than all together.
    """

    fused: NDArray[np.float32]
    middle: NDArray[np.float32]


class EdgeDetector(Protocol):
    """Tells for each pixel of a photo how likely a person would draw a line through it."""

    name: str

    def edges(self, photo: NDArray[np.uint8]) -> DetectedEdges:
        """Return the edges of an RGB photo, (height, width, 3), at its own size."""
