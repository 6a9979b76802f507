"""Generation of the page of one coloring job."""

from dataclasses import dataclass
from functools import partial

from pastelka_coloring.providers import ColoringProvider, ColoringRequest
from pastelka_common.contracts.messages import ColoringJob
from pastelka_common.contracts.options import ColoringOptions, unsupported_options
from pastelka_common.contracts.statuses import ColoringProcessingStatus
from pastelka_common.errors import PermanentError
from pastelka_common.jobs.handler import RunReporter
from pastelka_common.sources import source_local_copy
from pastelka_common.storage import Storage


@dataclass(frozen=True)
class ColoringGenerator:
    """Generates the coloring page of a job."""

    provider: ColoringProvider
    storage: Storage
    statuses = ColoringProcessingStatus

    async def generate(self, job: ColoringJob, report: RunReporter) -> bytes:
        """The page as PNG. Raises ``PermanentError`` for options that the provider does not support."""
        options = job.options
        self._require_supported(options)
        request = ColoringRequest(
            partial(source_local_copy, self.storage, job.source),
            options.megapixels,
            options.steps,
            options.frame,
            options.background,
            options.line_weight,
            provider_job_id=report.provider_job_id,
            is_withdrawing=report.stored.record.withdrawing,
        )
        return await self.provider.color(request, report)

    def _require_supported(self, options: ColoringOptions) -> None:
        # The API rejects them, but the version may be older than the current provider.
        unsupported = unsupported_options(self.provider.name, options.model_dump())
        if unsupported:
            raise PermanentError(
                "option_unsupported",
                f"The coloring provider {self.provider.name!r} does not support {', '.join(unsupported)}."
                " Generate a page without them, or set COLORING_PROVIDER to a provider that does.",
            )

    async def cancel(self, provider_job_id: str) -> None:
        """Cancel the job at the provider."""
        await self.provider.cancel(provider_job_id)
