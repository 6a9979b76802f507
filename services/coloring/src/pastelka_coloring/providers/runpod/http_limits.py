"""Limits of a process's requests to RunPod."""

from dataclasses import dataclass, field

from pastelka_coloring.providers.runpod.page import PageLimits
from pastelka_coloring.providers.runpod.photo import UploadLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class RunpodLimits:
    """Limits of one process.

    RunPod allows an endpoint 200 concurrent ``/run``, 400 concurrent and 2,000 ``/status`` in 10 s, and 20
    concurrent ``/cancel`` (docs.runpod.io, *Endpoint operations*, 2026). A process sends at most ``poll_burst
    + 10 * polls_per_second`` polls in any 10 s, which is within that; several replicas should divide the
    limit, or are throttled by 429.
    """

    submits: int = 32
    """Concurrent submissions; limits memory, since each may hold a request of 10 MB."""
    polls: int = 64
    """Concurrent status requests."""
    cancels: int = 8
    """Concurrent cancel requests."""
    polls_per_second: float = 150.0
    """Maximum rate of status requests."""
    poll_burst: int = 400
    """Status requests that may exceed the rate in a burst."""
    threads: int = 2
    """Threads that decode and encode images."""
    response_bytes: int = 64_000_000
    """Maximum size of a response."""
    photo: UploadLimits = field(default_factory=UploadLimits)
    page: PageLimits = field(default_factory=PageLimits)

    @property
    def connections(self) -> int:
        """Maximum connections: the sum of the concurrent requests of every kind."""
        return self.submits + self.polls + self.cancels
