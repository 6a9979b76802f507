"""The edge detector in 8-bit arithmetic, which costs a processor a third of what floats do.

Post-training quantization: B. Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", CVPR 2018.
"""

from collections.abc import Iterator

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QDQQuantizer, QuantType
from onnxruntime.quantization.calibrate import CalibrationMethod, TensorsData

from pastelka_coloring.providers.local.graph import FUSED, INPUT

# Increment when ``quantized`` returns another model for the same one.
QUANTIZER_VERSION = 1

# The largest output of each rectified convolution over the photos of the benchmark, from
# ``python -m tests.bench.art.ranges``. Larger outputs are clipped.
LARGEST_OUTPUTS = {
    "block1/layers/conv2d": 763.6,
    "block1/layers/conv2d_1": 1932.2,
    "block2/layers/conv2d": 2385.5,
    "block2/layers/conv2d_1": 1632.8,
    "block3/layers/conv2d": 776.4,
    "block3/layers/conv2d_1": 758.5,
    "block3/layers/conv2d_2": 549.7,
    "block4/layers/conv2d": 270.8,
    "block4/layers/conv2d_1": 181.1,
    "block4/layers/conv2d_2": 108.0,
    "block5/layers/conv2d": 281.6,
    "block5/layers/conv2d_1": 335.7,
    "block5/layers/conv2d_2": 1152.7,
}

# A color value, 0 to 255, minus the mean of any of the three channels.
_LOWEST_INPUT, _HIGHEST_INPUT = -123.0, 152.0
_ZERO = 128


def quantized(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the ``model`` of ``build_graph`` with 8-bit activations and weights.

    Activations are scaled by layer, weights by output channel. Weights use 7 of their 8 bits: the sum of
    two products then fits into 16 bits, in which processors without VNNI add them. Side outputs are not
    rounded to 8 bits, and their fusion remains in floats.
    """
    convolutions = {node.name for node in model.graph.node if node.op_type == "Conv"}
    sides = convolutions - LARGEST_OUTPUTS.keys() - {FUSED}
    quantizer = QDQQuantizer(
        model,
        per_channel=True,
        reduce_range=True,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=_ranges(),
        nodes_to_quantize=[],
        nodes_to_exclude=[*sides, FUSED],
        op_types_to_quantize=["Conv", "MaxPool", "Relu"],
        extra_options={},
    )
    quantizer.quantize_model()
    quantizer.model.topological_sort()
    return _SideOutputs(quantizer.model.model, sides).in_integers()


def _ranges() -> TensorsData:
    """Return the range of each convolution and of its rectification, which are quantized as one."""
    ranges = {layer: (np.float32(0), np.float32(largest)) for layer, largest in LARGEST_OUTPUTS.items()}
    rectified = {f"{layer}/relu": values for layer, values in ranges.items()}
    photo = {INPUT: (np.float32(_LOWEST_INPUT), np.float32(_HIGHEST_INPUT))}
    return TensorsData(CalibrationMethod.MinMax, photo | ranges | rectified)


class _SideOutputs:
    """Replaces the side convolutions of a quantized model, which read large maps converted to floats."""

    def __init__(self, model: onnx.ModelProto, sides: set[str]) -> None:
        self._model = model
        self._sides = sides
        self._producers = {node.output[0]: node for node in model.graph.node}
        self._constants = {
            constant.name: numpy_helper.to_array(constant) for constant in model.graph.initializer
        }

    def in_integers(self) -> onnx.ModelProto:
        """Return the model with sums of 32-bit integers, which are scaled to floats."""
        graph = self._model.graph
        nodes = [replaced for node in graph.node for replaced in self._replaced(node)]
        used = {name for node in nodes for name in node.input} | {output.name for output in graph.output}
        constants = [
            numpy_helper.from_array(values, name) for name, values in self._constants.items() if name in used
        ]
        nodes = [node for node in nodes if used.intersection(node.output)]
        model = helper.make_model(
            helper.make_graph(nodes, graph.name, graph.input, graph.output, constants),
            opset_imports=self._model.opset_import,
            ir_version=self._model.ir_version,
        )
        onnx.checker.check_model(model)
        return model

    def _replaced(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        if node.name not in self._sides:
            yield node
            return
        features, scale, zero = self._producers[node.input[0]].input
        kernel, bias = (self._constants[name] for name in node.input[1:])
        step = np.abs(kernel).max() / (_ZERO - 1)
        weights = self._constant(f"{node.name}/weights", np.rint(kernel / step + _ZERO).astype(np.uint8))
        middle = self._constant(f"{node.name}/zero", np.uint8(_ZERO))
        factor = self._constant(f"{node.name}/scale", np.float32(step * self._constants[scale]))
        offset = self._constant(f"{node.name}/offset", bias.astype(np.float32).reshape(1, 1, 1, 1))
        sums, floats, scaled = (f"{node.name}/{stage}" for stage in ("sums", "floats", "scaled"))
        yield helper.make_node("ConvInteger", [features, weights, zero, middle], [sums])
        yield helper.make_node("Cast", [sums], [floats], to=TensorProto.FLOAT)
        yield helper.make_node("Mul", [floats, factor], [scaled])
        yield helper.make_node("Add", [scaled, offset], [node.output[0]])

    def _constant(self, name: str, values: NDArray[np.generic] | np.generic) -> str:
        self._constants[name] = np.asarray(values)
        return name
