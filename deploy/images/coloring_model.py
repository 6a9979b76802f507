"""Puts the local provider's network where the provider looks for it; run while the image is built."""

import platformdirs

from pastelka_coloring.providers.local.hed import load_detector

folder = platformdirs.user_cache_path("pastelka") / "coloring"
load_detector(folder, threads=1)
(model,) = folder.glob("*.onnx")
model.chmod(0o644)
