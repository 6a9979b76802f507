"""What one process asks of RunPod at most, and what it sends and takes at most."""

from dataclasses import dataclass, field

from pastelka_coloring.providers.runpod.page import PageLimits
from pastelka_coloring.providers.runpod.photo import UploadLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class RunpodLimits:
    """Bounds of one process.

    RunPod allows an endpoint 200 concurrent ``/run``, 400 concurrent and 2,000 ``/status`` in 10 s,
    and 20 concurrent ``/cancel`` (docs.runpod.io, *Endpoint operations*, 2026). At most
    ``poll_burst + 10 * polls_per_second`` polls fall into any 10 s: one process with hundreds of jobs
    stays within that; several such replicas should share it, or they are slowed down by 429.
    """

    submits: int = 32
    """Photos prepared and submitted at once; bounds memory, each may hold a request of 10 MB."""
    polls: int = 64
    """Status requests under way at once."""
    cancels: int = 8
    """Cancel requests under way at once."""
    polls_per_second: float = 150.0
    """Rate of status requests when many jobs are active."""
    poll_burst: int = 400
    """Status requests that may come at once before the rate binds."""
    threads: int = 2
    """Threads that decode and encode images."""
    response_bytes: int = 64_000_000
    """Largest answer that is read."""
    photo: UploadLimits = field(default_factory=UploadLimits)
    page: PageLimits = field(default_factory=PageLimits)

    @property
    def connections(self) -> int:
        """Connections that let no request wait for another kind."""
        return self.submits + self.polls + self.cancels
