"""SVGs from Vectorizer.ai over its HTTP API (https://vectorizer.ai/api)."""

from pastelka_vectorize.providers.vectorizer.provider import VectorizerProvider

__all__ = ["VectorizerProvider"]
