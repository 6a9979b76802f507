"""SVGs made on this machine with vtracer: no account, no network."""

from pastelka_vectorize.providers.local.provider import LocalSvgProvider

__all__ = ["LocalSvgProvider"]
