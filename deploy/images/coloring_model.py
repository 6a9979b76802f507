"""Puts the local provider's network where the provider looks for it; run while the image is built."""

import platformdirs

from pastelka_coloring.providers.local.hed import load_detector

load_detector(platformdirs.user_cache_path("pastelka") / "coloring", threads=1)
