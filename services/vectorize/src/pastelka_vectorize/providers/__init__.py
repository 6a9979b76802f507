"""The interface of SVG providers."""

from dataclasses import dataclass
from typing import Protocol

from pastelka_common.contracts.options import GroupBy, ShapeStacking
from pastelka_common.contracts.statuses import SvgProcessingStatus
from pastelka_common.sources import Source


@dataclass(frozen=True, slots=True)
class SvgRequest:
    """Request for one SVG; ``page`` opens a local copy of the coloring page (PNG)."""

    page: Source
    shape_stacking: ShapeStacking
    group_by: GroupBy


class SvgProgress(Protocol):
    """Progress reports of a provider. Each call returns once the report is stored.

    Calls may raise ``PostponedError`` and ``SupersededError``, which the provider must propagate.
    """

    async def submitting(self, status: SvgProcessingStatus) -> None:
        """Report ``status`` and check, immediately before a paid request, that it is allowed."""


class SvgProvider(Protocol):
    """Turns coloring pages into SVGs.

    ``vectorize`` returns the provider's SVG as UTF-8 bytes (the handler sanitizes it before storing). It
    raises ``TransientError`` (``SubmitUnknownError`` when a request may have been charged) or
    ``PermanentError`` (``pastelka_common.errors``), and nothing else for errors of the provider, the network
    or the page.
    """

    name: str

    async def vectorize(self, request: SvgRequest, progress: SvgProgress) -> bytes:
        """Generate the SVG."""

    async def aclose(self) -> None:
        """Release connections and threads."""
