"""The plan's statuses with their Czech labels, in order."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from tests.browser.visitor import BadgeChange

COLORING: Mapping[str, str] = {
    "pending": "Čeká na odeslání",
    "queued": "Čeká ve frontě",
    "processing": "Zpracovává se...",
    "runpod_submitting": "Runpod: odesílání na server",
    "runpod_submitted": "Runpod: úloha přijata",
    "runpod_queued": "Runpod: čeká ve frontě",
    "runpod_processing": "Runpod: Probíhá zpracování",
    "completed": "Dokončeno",
}
SVG: Mapping[str, str] = {
    "pending": "Čeká na odeslání",
    "queued": "Čeká ve frontě",
    "processing": "Zpracovává se...",
    "vectorizer_processing": "Vectorizer: Probíhá zpracování",
    "completed": "Dokončeno",
}
OF_KIND = {"coloring": COLORING, "svg": SVG}


def as_labels(changes: Iterable[BadgeChange]) -> list[tuple[str, str]]:
    """Status and label of each change."""
    return [(change["status"], change["label"]) for change in changes]


def steps_back(kind: str, changes: Sequence[BadgeChange]) -> list[tuple[str, str]]:
    """Every pair of consecutive statuses in which a badge went backwards."""
    places = list(OF_KIND[kind])
    shown = [change["status"] for change in changes]
    return [
        (before, after) for before, after in pairwise(shown) if places.index(after) < places.index(before)
    ]
