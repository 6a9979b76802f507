"""What turns a coloring page into an SVG: the contract every provider keeps."""

from dataclasses import dataclass
from typing import Protocol

from pastelka_common.contracts.options import GroupBy, ShapeStacking
from pastelka_common.contracts.statuses import SvgProcessingStatus
from pastelka_common.sources import Source


@dataclass(frozen=True, slots=True)
class SvgRequest:
    """One SVG to make: ``page`` fetches the coloring page (PNG) for as long as it is needed."""

    page: Source
    shape_stacking: ShapeStacking
    group_by: GroupBy


class SvgProgress(Protocol):
    """What a provider tells while it works; returns after what it says is stored.

    It may raise what ends the work without a result (``PostponedError``, ``SupersededError``): let
    it through.
    """

    async def submitting(self, status: SvgProcessingStatus) -> None:
        """Report ``status`` and make sure that the page may be sent: right before a paid request is."""


class SvgProvider(Protocol):
    """Turns coloring pages into SVGs.

    ``vectorize`` returns the provider's SVG as UTF-8 bytes (the handler cleans it before it is
    stored). It raises ``TransientError`` (``SubmitUnknownError`` when a request may have been
    charged) or ``PermanentError`` (``pastelka_common.errors``), and nothing else for anything the
    provider, the network or the page can do wrong.
    """

    name: str

    async def vectorize(self, request: SvgRequest, progress: SvgProgress) -> bytes:
        """Make the SVG."""

    async def aclose(self) -> None:
        """Give back connections and threads."""
