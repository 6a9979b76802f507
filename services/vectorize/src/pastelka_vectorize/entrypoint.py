"""``python -m pastelka_vectorize``: processes SVG jobs until SIGTERM."""

import asyncio

from pastelka_common import process
from pastelka_common.contracts.messages import SvgJob
from pastelka_common.jobs.worker import run_worker
from pastelka_common.messaging.topology import VECTORIZE_CONSUMER
from pastelka_common.storage import open_storage
from pastelka_vectorize.handlers import SvgGenerator
from pastelka_vectorize.providers import SvgProvider
from pastelka_vectorize.settings import VectorizeSettings


def main() -> None:
    """Run the worker until SIGTERM."""
    process.main("vectorize", VectorizeSettings, run)


async def run(settings: VectorizeSettings, stop: asyncio.Event) -> None:
    """Process jobs until ``stop`` is set; then finish or nack the active jobs."""
    provider = _provider(settings)
    storage = open_storage(settings)
    try:
        await run_worker(
            settings,
            stop,
            spec=VECTORIZE_CONSUMER.with_limit(settings.max_in_flight),
            job_type=SvgJob,
            generator=SvgGenerator(provider, storage),
            storage=storage,
            concurrency=settings.concurrency,
            grace=settings.shutdown_grace / 2,
            paid_provider=None if settings.vectorize_provider == "local" else provider.name,
        )
    finally:
        await provider.aclose()


def _provider(settings: VectorizeSettings) -> SvgProvider:
    # Each provider brings libraries that the other deployment does not need to load.
    if settings.vectorize_provider == "vectorizer":
        from pastelka_vectorize.providers.vectorizer import VectorizerProvider  # noqa: PLC0415

        if settings.vectorizer_api_key is None or settings.vectorizer_api_secret is None:
            raise RuntimeError("the settings accepted an incomplete Vectorizer.ai account")
        return VectorizerProvider(
            base_url=settings.vectorizer_base_url,
            api_key=settings.vectorizer_api_key,
            api_secret=settings.vectorizer_api_secret,
        )
    from pastelka_vectorize.providers.local import LocalSvgProvider  # noqa: PLC0415

    return LocalSvgProvider(workers=settings.concurrency)
