"""``python -m tests.bench.art``: make pages of free photos, measure them, write docs/art.md."""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from tests.bench.art import making, report
from tests.bench.art.baselines import FILTERS
from tests.bench.art.comparison import Drawn, compare, drawn_of
from tests.bench.art.measures import Measures, mean, measure
from tests.bench.art.photos import PRESETS, PREVIOUS, photos

_DOCS = Path(__file__).parents[3] / "docs"


def main() -> int:
    """0 if all pages were made and measured and the document was written."""
    arguments = _arguments()
    begun = time.monotonic()
    chosen = {name: path for name, path in photos().items() if name in (arguments.photos or photos())}
    references = {name: making.reference(path) for name, path in chosen.items()}
    rows: dict[str, report.Row] = {}
    child: dict[str, Drawn] = {}
    single: dict[str, Measures] = {}
    for preset in arguments.presets:
        print(f"{preset}: {len(chosen)} pages", flush=True)
        made = dict(zip(chosen, making.pages(list(chosen.values()), *PRESETS[preset]), strict=True))
        drawn = {name: drawn_of(page.png) for name, page in made.items()}
        measured = {name: measure(drawn[name].gray, references[name]) for name in chosen}
        seconds = [page.seconds for page in made.values()]
        rows[preset] = report.Row(
            mean(list(measured.values())),
            float(np.mean(seconds)),
            max(page.megabytes for page in made.values()),
        )
        if preset == "child":
            child, single = drawn, measured
    if child:
        rows["previous method"] = _row({name: _previous(name) for name in chosen}, references)
        for title, draw in FILTERS.items():
            rows[title] = _row({name: draw(_photo(chosen[name], child[name])) for name in chosen}, references)
        vectors = {name: compare(child[name]) for name in chosen}
        text = report.document(rows, single, vectors, time.monotonic() - begun)
        print(text)
        if not arguments.photos:
            (_DOCS / "art.md").write_text(text)
        report.sheet(chosen, {name: _previous(name) for name in chosen}, child, _DOCS / "images" / "art.jpg")
        report.picture(chosen, child, _DOCS / "images" / "main-job.jpg")
    return 0


def _row(pages: dict[str, np.ndarray], references: dict[str, np.ndarray]) -> report.Row:
    return report.Row(mean([measure(page, references[name]) for name, page in pages.items()]), None, None)


def _previous(name: str) -> np.ndarray:
    with Image.open(PREVIOUS / f"{name}.png") as page:
        return np.asarray(page.convert("L"))


def _photo(path: Path, page: Drawn) -> np.ndarray:
    with Image.open(path) as photo:
        return np.asarray(photo.convert("RGB").resize(page.gray.shape[::-1], Image.Resampling.LANCZOS))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.art", description=__doc__)
    names = list(PRESETS)
    parser.add_argument("--presets", type=lambda text: text.split(","), default=names, help=",".join(names))
    parser.add_argument("--photos", type=lambda text: text.split(","), help="names of photos (all)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
