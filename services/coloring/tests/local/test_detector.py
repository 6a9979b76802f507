"""The edge detector: what it finds, how close 8-bit arithmetic is to floats, and what it costs."""

import time
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from PIL import Image

from pastelka_coloring.providers.local import hed
from pastelka_coloring.providers.local.coloring import make_page
from pastelka_coloring.providers.local.detector import DetectedEdges
from pastelka_coloring.providers.local.edges import detect_edges
from pastelka_coloring.providers.local.hed import load_detector
from pastelka_coloring.providers.local.style import PageStyle

# A page may cost 5 s of CPU where the network in floats takes 3.7 s for the sizes of one page.
_COST = 5 / 3.7
_LAYERS = 13
_SIDES = 5


class CountingDetector:
    """Hands photos to another detector and counts them, their pixels, and the seconds of CPU."""

    name = "counting"

    def __init__(self, detector=None):
        self._detector = detector
        self.calls = 0
        self.pixels = 0
        self.seconds = 0.0

    def edges(self, photo):
        self.calls += 1
        self.pixels += photo.shape[0] * photo.shape[1]
        if self._detector is None:
            gray = photo[:, :, 1].astype(np.float32) / 255
            return DetectedEdges(gray, gray)
        started = time.process_time()
        found = self._detector.edges(photo)
        self.seconds += time.process_time() - started
        return found


@pytest.fixture(scope="module")
def floats(cache_dir):
    return load_detector(cache_dir, threads=1, is_quantized=False)


@pytest.fixture(scope="module")
def quantized(cache_dir):
    return load_detector(cache_dir, threads=1)


def loaded(path, side):
    with Image.open(path) as photo:
        return np.asarray(photo.convert("RGB").resize((side, side)))


@pytest.mark.parametrize("kind", ["floats", "quantized"])
def test_detector_finds_the_outline_of_a_disc(request, kind):
    photo = np.full((200, 240, 3), 235, np.uint8)
    cv2.circle(photo, (120, 100), 60, (30, 60, 120), -1, cv2.LINE_AA)
    found = request.getfixturevalue(kind).edges(photo)

    rows, columns = np.indices(found.fused.shape)
    off = np.abs(np.hypot(rows - 100, columns - 120) - 60)
    for edges in found:
        assert edges.shape == (200, 240)
        assert edges[off < 1].min() > 0.5
        assert edges[off > 15].mean() < 0.1


@pytest.mark.parametrize("photo", ["astronaut", "coffee", "cat"])
def test_8_bits_find_the_edges_of_floats(photos, floats, quantized, photo):
    pixels = loaded(photos[photo], 256)

    for found, exact in zip(quantized.edges(pixels), floats.edges(pixels), strict=True):
        assert np.abs(found - exact).mean() < 0.01
        assert np.corrcoef(found.ravel(), exact.ravel())[0, 1] > 0.998


@pytest.mark.filterwarnings("ignore:Specified provider 'CUDAExecutionProvider' is not in available")
def test_a_gpu_is_given_floats(tmp_path, monkeypatch):
    offered = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(hed.ort, "get_available_providers", lambda: offered)
    load_detector(tmp_path, threads=1)

    (file,) = tmp_path.iterdir()
    operators = {node.op_type for node in onnx.load(file).graph.node}
    assert "Conv" in operators
    assert "QuantizeLinear" not in operators


def test_costly_convolutions_run_in_8_bits(cache_dir, quantized, tmp_path):
    """They do only where ONNX Runtime recognizes them in the graph, so the graph that it runs is read."""
    (file,) = cache_dir.glob("*int8*.onnx")
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "run.onnx")
    ort.InferenceSession(file.read_bytes(), options, providers=["CPUExecutionProvider"])
    run = [node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node]

    assert run.count("QLinearConv") == _LAYERS
    assert run.count("ConvInteger") == _SIDES
    assert run.count("Conv") == 1


def test_detector_sees_three_small_pictures():
    photo = np.zeros((1000, 1500, 3), np.uint8)
    photo[300:700, 400:900] = 255
    counting = CountingDetector()
    detect_edges(photo, (816, 1225), counting)

    assert counting.calls == 3
    assert counting.pixels < 0.96e6


def test_page_costs_less_than_its_bound(photos, floats, quantized):
    """Measured against the network in floats in this process, so that no machine is judged."""
    page = CountingDetector(quantized)
    started = time.process_time()
    make_page(Path(photos["coffee"]), megapixels=1.0, style=PageStyle(), detector=page)
    seconds = time.process_time() - started
    reference = CountingDetector(floats)
    pixels = loaded(photos["coffee"], 400)
    for _ in range(3):
        reference.edges(pixels)

    assert seconds < _COST * reference.seconds / reference.pixels * page.pixels
