"""Writes the local provider's model to its cache folder; runs while the image is built."""

import platformdirs

from pastelka_coloring.providers.local.hed import load_detector

load_detector(platformdirs.user_cache_path("pastelka") / "coloring", threads=1)
