"""SVGs generated locally with vtracer: no account, no network."""

from pastelka_vectorize.providers.local.provider import LocalSvgProvider

__all__ = ["LocalSvgProvider"]
