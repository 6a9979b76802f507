"""Coloring pages made by a serverless endpoint of RunPod."""

from pastelka_coloring.providers.runpod.http_limits import RunpodLimits
from pastelka_coloring.providers.runpod.provider import RunpodProvider
from pastelka_coloring.providers.runpod.watch import WatchTimeouts

__all__ = ["RunpodLimits", "RunpodProvider", "WatchTimeouts"]
