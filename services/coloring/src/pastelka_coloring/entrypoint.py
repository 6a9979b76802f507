"""``python -m pastelka_coloring``: processes coloring jobs until SIGTERM."""

import asyncio

from pastelka_coloring.handlers import ColoringGenerator
from pastelka_coloring.providers import ColoringProvider
from pastelka_coloring.settings import ColoringSettings
from pastelka_common import process
from pastelka_common.contracts.messages import ColoringJob
from pastelka_common.jobs.worker import run_worker
from pastelka_common.messaging.topology import COLORING_CONSUMER
from pastelka_common.storage import open_storage


def main() -> None:
    """Run the worker until SIGTERM."""
    process.main("coloring", ColoringSettings, run)


async def run(settings: ColoringSettings, stop: asyncio.Event) -> None:
    """Process jobs until ``stop`` is set; then finish or nack the active jobs."""
    provider = await _provider(settings)
    storage = open_storage(settings)
    try:
        await run_worker(
            settings,
            stop,
            spec=COLORING_CONSUMER.with_limit(settings.max_in_flight),
            job_type=ColoringJob,
            generator=ColoringGenerator(provider, storage),
            storage=storage,
            concurrency=settings.concurrency,
            grace=_grace(settings),
            paid_provider=None if settings.coloring_provider == "local" else provider.name,
        )
    finally:
        await provider.aclose()


def _grace(settings: ColoringSettings) -> float:
    """Seconds for active jobs at shutdown: a local page may finish, a RunPod job is nacked at once."""
    return settings.shutdown_grace / 2 if settings.coloring_provider == "local" else 0.0


async def _provider(settings: ColoringSettings) -> ColoringProvider:
    # Each provider brings libraries that the other deployment does not need to load.
    if settings.coloring_provider == "runpod":
        from pastelka_coloring.providers.runpod import RunpodProvider, WatchTimeouts  # noqa: PLC0415

        if settings.runpod_api_key is None or settings.runpod_endpoint_id is None:
            raise RuntimeError("the settings accepted an incomplete RunPod account")
        return RunpodProvider(
            base_url=settings.runpod_base_url,
            endpoint_id=settings.runpod_endpoint_id,
            api_key=settings.runpod_api_key,
            poll_interval=settings.runpod_poll_interval,
            timeouts=WatchTimeouts(queue=settings.runpod_queue_timeout, run=settings.runpod_job_timeout),
            max_in_queue=settings.runpod_max_in_queue,
        )
    from pastelka_coloring.providers.local import LocalColoringProvider  # noqa: PLC0415

    provider = LocalColoringProvider(workers=settings.concurrency, threads=settings.coloring_threads)
    await provider.prepare()
    return provider
