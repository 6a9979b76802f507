"""``python -m tests.bench.art.ranges``: print the table ``LARGEST_OUTPUTS`` of the quantized detector.

It holds the largest output of each rectified convolution over the photos, at the sizes of a page.
"""

import sys

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper

from pastelka_coloring.providers.local.detector import DetectedEdges
from pastelka_coloring.providers.local.edges import detect_edges
from pastelka_coloring.providers.local.graph import INPUT, MIDDLE, OUTPUT, build_graph
from pastelka_coloring.providers.local.hed import network_input, weights_file
from pastelka_coloring.providers.local.photo import read_photo
from pastelka_coloring.providers.local.resizing import MAP_PIXELS, shape_for
from tests.bench.art.photos import photos


class RangeRecorder:
    """The detector in floats; it keeps the largest output of each rectified convolution."""

    name = "range recorder"

    def __init__(self) -> None:
        model = build_graph(weights_file())
        self._rectified = [node.output[0] for node in model.graph.node if node.op_type == "Relu"]
        for output in self._rectified:
            # Their largest values only: the maps need gigabytes.
            model.graph.node.append(helper.make_node("ReduceMax", [output], [f"{output}/max"], keepdims=0))
            model.graph.output.append(helper.make_tensor_value_info(f"{output}/max", TensorProto.FLOAT, []))
        self._session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        self.largest = dict.fromkeys((output.removesuffix("/relu") for output in self._rectified), 0.0)

    def edges(self, photo: NDArray[np.uint8]) -> DetectedEdges:
        """Return the edges of an RGB photo, and note the ranges."""
        wanted = [OUTPUT, MIDDLE, *(f"{output}/max" for output in self._rectified)]
        fused, middle, *largest = self._session.run(wanted, {INPUT: network_input(photo)})
        for layer, value in zip(self.largest, largest, strict=True):
            self.largest[layer] = max(self.largest[layer], float(value))
        return DetectedEdges(fused[0, 0], middle[0, 0])


def main() -> int:
    """0 if all photos were processed."""
    recorder = RangeRecorder()
    for path in photos().values():
        pixels = read_photo(path).pixels
        detect_edges(pixels, shape_for(pixels, MAP_PIXELS), recorder)
    for layer, largest in recorder.largest.items():
        print(f'    "{layer}": {largest:.1f},', flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
