"""``python -m tests.bench.art``: make pages of free photos, measure them, write docs/art.md."""

import argparse
import io
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.bench.art import making, report
from tests.bench.art.baselines import FILTERS
from tests.bench.art.comparison import Drawn, compare, drawn_of
from tests.bench.art.measures import Gray, measure
from tests.bench.art.photos import PRESETS, PREVIOUS, photos
from tests.bench.art.results import Result, Results
from tests.bench.art.throughput import speedup

_DOCS = Path(__file__).parents[3] / "docs"
_PREVIOUS = "previous method"


class Bench:
    """Measures what is not in the results yet."""

    def __init__(self, chosen: list[str], results: Results) -> None:
        self._photos = {name: photos()[name] for name in chosen}
        self._results = results

    def preset(self, preset: str) -> None:
        """Make and measure the page of each photo."""
        missing = [name for name in self._photos if self._results.load(preset, name) is None]
        made = making.pages([self._photos[name] for name in missing], *PRESETS[preset])
        for name, page in zip(missing, made, strict=True):
            print(f"{preset}: {name}", flush=True)
            drawn = drawn_of(page.png)
            measured = measure(drawn.gray, making.reference(self._photos[name]))
            result = Result(measured, page.seconds, page.megabytes, compare(drawn))
            self._results.save(preset, name, result, page.png)

    def others(self) -> None:
        """Measure what the previous method and common filters make of each photo."""
        for name, path in self._photos.items():
            if self._results.load(_PREVIOUS, name) is None:
                png = (PREVIOUS / f"{name}.png").read_bytes()
                drawn = drawn_of(png)
                result = Result(
                    measure(drawn.gray, making.reference(self._photos[name])), vector=compare(drawn)
                )
                self._results.save(_PREVIOUS, name, result, png)
            shape = drawn_of(self._results.page("child", name)).gray.shape
            for title, draw in FILTERS.items():
                if self._results.load(title, name) is None:
                    print(f"{title}: {name}", flush=True)
                    page = draw(_photo(path, shape))
                    self._results.save(
                        title, name, Result(measure(page, making.reference(self._photos[name]))), _png(page)
                    )

    def throughput(self) -> None:
        """Measure how much more two processes give than one."""
        if self._results.speedup is None:
            print("two pages at a time", flush=True)
            self._results.speedup = speedup(self._photos["coffee"])


def main() -> int:
    """0 if all pages were made and measured and the document was written."""
    arguments = _arguments()
    results = Results(arguments.folder)
    print(f"results are kept in {results.folder}", flush=True)
    bench = Bench(arguments.photos, results)
    for preset in arguments.presets:
        bench.preset(preset)
    if arguments.presets == list(PRESETS) and arguments.photos == list(photos()):
        bench.others()
        bench.throughput()
        _write(results)
    return 0


def _write(results: Results) -> None:
    names = list(photos())
    methods = [*PRESETS, _PREVIOUS, *FILTERS]
    rows = {method: [_loaded(results, method, name) for name in names] for method in methods}
    text = report.document(rows, names, results.speedup)
    print(text)
    (_DOCS / "art.md").write_text(text)
    pages = {name: _drawn(results, "child", name) for name in names}
    previous = {name: _drawn(results, _PREVIOUS, name).gray for name in names}
    report.sheet(photos(), previous, pages, _DOCS / "images" / "art.jpg")
    report.picture(photos(), pages, _DOCS / "images" / "main-job.jpg")


def _loaded(results: Results, method: str, name: str) -> Result:
    found = results.load(method, name)
    if found is None:
        raise LookupError(f"{method}: {name} was not measured")
    return found


def _drawn(results: Results, method: str, name: str) -> Drawn:
    return drawn_of(results.page(method, name))


def _photo(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    with Image.open(path) as photo:
        return np.asarray(photo.convert("RGB").resize((shape[1], shape[0]), Image.Resampling.LANCZOS))


def _png(page: Gray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(page).save(file, "PNG")
    return file.getvalue()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.art", description=__doc__)
    for name, values in (("presets", list(PRESETS)), ("photos", list(photos()))):
        parser.add_argument(
            f"--{name}",
            type=lambda text: text.split(","),
            default=values,
            help=f"measure these only, and write no document: {','.join(values)}",
        )
    parser.add_argument("--folder", type=Path, help="where results are kept (a temporary folder)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
