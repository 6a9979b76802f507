"""One coloring job: its photo, the provider, the page."""

from dataclasses import dataclass
from functools import partial

from pastelka_coloring.providers import ColoringProvider, ColoringRequest
from pastelka_common.contracts.messages import ColoringJob
from pastelka_common.contracts.statuses import ColoringProcessingStatus
from pastelka_common.jobs.handler import RunReporter
from pastelka_common.sources import source_local_copy
from pastelka_common.storage import Storage


@dataclass(frozen=True)
class ColoringGenerator:
    """Makes coloring pages: what the workshop of this service does with a job."""

    provider: ColoringProvider
    storage: Storage
    statuses = ColoringProcessingStatus

    async def generate(self, job: ColoringJob, report: RunReporter) -> bytes:
        """The page as PNG."""
        request = ColoringRequest(
            partial(source_local_copy, self.storage, job.source),
            job.options.megapixels,
            job.options.steps,
            provider_job_id=report.provider_job_id,
            is_withdrawing=report.held.record.withdrawing,
        )
        return await self.provider.color(request, report)

    async def cancel(self, provider_job_id: str) -> None:
        """Stop the job at the provider."""
        await self.provider.cancel(provider_job_id)
