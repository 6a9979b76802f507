"""Coloring pages made by a serverless endpoint of RunPod."""

from pastelka_coloring.providers.runpod.limits import RunpodLimits
from pastelka_coloring.providers.runpod.provider import RunpodProvider
from pastelka_coloring.providers.runpod.watch import Patience

__all__ = ["Patience", "RunpodLimits", "RunpodProvider"]
