"""Job sources without a storage."""

from contextlib import nullcontext
from pathlib import Path

from pastelka_common.sources import Source


def local_source(path: Path) -> Source:
    """A source that is the local file ``path``."""
    return lambda: nullcontext(path)
