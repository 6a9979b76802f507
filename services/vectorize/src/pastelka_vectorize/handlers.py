"""Generation of the SVG of one job."""

from dataclasses import dataclass
from functools import partial

from anyio import to_thread

from pastelka_common.contracts.messages import SvgJob
from pastelka_common.contracts.statuses import SvgProcessingStatus
from pastelka_common.jobs.handler import RunReporter
from pastelka_common.sources import source_local_copy
from pastelka_common.storage import Storage
from pastelka_vectorize.providers import SvgProvider, SvgRequest
from pastelka_vectorize.svg import clean


@dataclass(frozen=True)
class SvgGenerator:
    """Generates the SVG of a job."""

    provider: SvgProvider
    storage: Storage
    statuses = SvgProcessingStatus

    async def generate(self, job: SvgJob, report: RunReporter) -> bytes:
        """The sanitized SVG, without anything that a browser would execute or fetch."""
        page = partial(source_local_copy, self.storage, job.source)
        request = SvgRequest(page, job.options.shape_stacking, job.options.group_by)
        svg = await self.provider.vectorize(request, report)
        return await to_thread.run_sync(clean, svg)

    async def cancel(self, provider_job_id: str) -> None:
        """Do nothing: neither provider has jobs beyond the request."""
