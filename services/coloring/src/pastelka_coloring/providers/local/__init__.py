"""Coloring pages made on this machine: a network finds the edges, curves are drawn along them."""

from pastelka_coloring.providers.local.provider import LocalColoringProvider

__all__ = ["LocalColoringProvider"]
