"""The edge detector: the network where it is installed, classical filters where it is not."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class EdgeDetector(Protocol):
    """Tells for each pixel of a photo how likely a person would draw a line through it."""

    name: str

    def edges(self, photo: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probability of an edge, 0 to 1, (height, width), for RGB (height, width, 3)."""
