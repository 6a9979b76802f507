"""What was measured, kept in a folder from one run to the next: a run that was interrupted goes on."""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench.art.comparison import Vector
from tests.bench.art.measures import Measures
from tests.bench.art.photos import PRESETS, photos

_ROOT = Path(__file__).parents[3]
_MEASURED = (
    "services/coloring/src/pastelka_coloring/providers/local",
    "services/vectorize/src/pastelka_vectorize/providers/local",
)
_MEASURING = ("baselines", "comparison", "making", "measures", "page_cost")


@dataclass(frozen=True)
class Result:
    """One page: its measures, and where it was made here its seconds of CPU, the peak of memory in
    MB, and its SVG."""

    measures: Measures
    seconds: float | None = None
    megabytes: float | None = None
    vector: Vector | None = None


class Results:
    """Results by method and photo, with their pages, in ``folder``."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.gettempdir(), "pastelka-bench-art", _digest())
        self.folder.mkdir(parents=True, exist_ok=True)

    def load(self, method: str, photo: str) -> Result | None:
        """The result of a photo, or nothing where it was not measured yet."""
        path = self._path(method, photo, "json")
        if not path.exists():
            return None
        kept = json.loads(path.read_text())
        vector = kept.pop("vector")
        return Result(Measures(**kept.pop("measures")), **kept, vector=Vector(**vector) if vector else None)

    def page(self, method: str, photo: str) -> bytes:
        """The page of a photo as PNG."""
        return self._path(method, photo, "png").read_bytes()

    def save(self, method: str, photo: str, result: Result, page: bytes | None = None) -> None:
        """Keep a result; it counts once it is complete."""
        if page is not None:
            self._path(method, photo, "png").write_bytes(page)
        unfinished = self._path(method, photo, "part")
        unfinished.write_text(json.dumps(asdict(result)))
        unfinished.replace(self._path(method, photo, "json"))

    @property
    def speedup(self) -> float | None:
        """How many times as many pages two processes make as one, where it was measured."""
        path = self.folder / "speedup.json"
        return float(json.loads(path.read_text())) if path.exists() else None

    @speedup.setter
    def speedup(self, value: float) -> None:
        (self.folder / "speedup.json").write_text(json.dumps(value))

    def _path(self, method: str, photo: str, kind: str) -> Path:
        return self.folder / f"{method.replace(' ', '-')}.{photo}.{kind}"


def _digest() -> str:
    """Name the code and the photos that results depend on: changed ones make a new folder."""
    digest = hashlib.sha256(repr(PRESETS).encode())
    for path in _sources():
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _sources() -> Iterator[Path]:
    for folder in _MEASURED:
        yield from sorted((_ROOT / folder).rglob("*.py"))
    yield from (Path(__file__).with_name(f"{name}.py") for name in _MEASURING)
    yield from photos().values()
