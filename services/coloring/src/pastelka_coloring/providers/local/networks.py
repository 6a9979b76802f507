"""The four small networks of MediaPipe in this package: faces, landmarks, irises, subject."""

import hashlib
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

_FOLDER = Path(__file__).with_name("models")
# From the wheel mediapipe 0.10.21 (Apache-2.0); see THIRD_PARTY_NOTICES.md.
_SHA256 = {
    "face_detection_short_range": "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    "face_landmark": "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    "iris_landmark": "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
    "selfie_segmentation": "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
}
NAMES = tuple(_SHA256)


class DamagedNetworkError(Exception):
    """A network's file differs from the released one."""


def infer(name: str, picture: NDArray[np.float32], *outputs: str) -> list[NDArray[np.float32]]:
    """Run a network on an RGB picture (height, width, 3) and return its outputs in order.

    Without ``outputs``, those of the last layer. Not thread-safe: each page is generated in a separate
    process.
    """
    net = network(name)
    net.setInput(np.ascontiguousarray(picture.transpose(2, 0, 1)[np.newaxis]))
    found = net.forward(list(outputs)) if outputs else [net.forward()]
    return [np.asarray(values, dtype=np.float32) for values in found]


@cache
def network(name: str) -> cv2.dnn.Net:
    """Load a network, once per process. Raises ``DamagedNetworkError`` if its file was changed."""
    model = (_FOLDER / f"{name}.tflite").read_bytes()
    if hashlib.sha256(model).hexdigest() != _SHA256[name]:
        raise DamagedNetworkError(f"{name}.tflite differs from the released file; reinstall the package")
    return cv2.dnn.readNetFromTFLite(np.frombuffer(model, np.uint8))
