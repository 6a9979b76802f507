"""Coloring pages generated locally: a neural network detects edges, curves are fitted to them."""

from pastelka_coloring.providers.local.provider import LocalColoringProvider

__all__ = ["LocalColoringProvider"]
