"""A submitted job that never left the provider's queue is cancelled there, to be submitted again.

Two steps in the run's record keep a worker that dies in between from paying twice or giving up:
``withdrawing`` is set before the job is cancelled, and its id joins ``withdrawn`` once the provider
has said that it is over. From then on the id is ignored wherever it is still stored.
"""

from typing import TYPE_CHECKING

from pastelka_common.jobs.records import RunRecord

if TYPE_CHECKING:
    from pastelka_common.jobs.reporter import RunReporter


async def begin(report: "RunReporter") -> None:
    """Note that the run's submitted job is about to be cancelled. Raises ``SupersededError``."""
    await report.change(lambda record: report.mine(record, withdrawing=True))


async def finish(report: "RunReporter", provider_job_id: str) -> int:
    """Forget a job that was cancelled before any work; returns how many of the run there were.

    Raises ``SupersededError``.
    """

    def withdrawn(record: RunRecord) -> RunRecord:
        ids = (*(one for one in record.withdrawn if one != provider_job_id), provider_job_id)
        return report.mine(record, withdrawing=False, withdrawn=ids)

    await report.change(withdrawn)
    report.provider_job_id = None
    await report.context.markers.forget(report.job)
    return len(report.held.record.withdrawn)
