"""``pastelka page PHOTO``: one coloring page and its SVG, made in this process without services."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from pastelka_common.contracts.options import Background, ColoringOptions, LineWeight, SvgOptions

_DEFAULTS = ColoringOptions()


class PageError(Exception):
    """The photo cannot be read; the message gives the reason."""


class _NoReport:
    """Discards progress reports: there is no service and no database."""

    def __getattr__(self, name: str) -> Any:
        return self._ignore

    async def _ignore(self, *_: object) -> None:
        """Discard a call."""


def page(
    photo: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Path of the page; its SVG is stored beside it.")
    ] = None,
    megapixels: Annotated[float, typer.Option(min=0.5, max=8)] = _DEFAULTS.megapixels,
    steps: Annotated[int, typer.Option(min=1, max=20, help="Detail of the page.")] = _DEFAULTS.steps,
    frame: Annotated[bool, typer.Option(help="Draw a thin border.")] = _DEFAULTS.frame,
    background: Annotated[
        Background, typer.Option(help="What is drawn outside of the subject: all, less or nothing.")
    ] = _DEFAULTS.background,
    line_weight: Annotated[LineWeight, typer.Option(help="Width of the lines.")] = _DEFAULTS.line_weight,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Draw a coloring page (PNG) and its SVG from PHOTO, with no service running."""
    png = output or Path(f"{photo.stem}-page.png")
    svg = png.with_suffix(".svg")
    options = ColoringOptions(
        megapixels=megapixels, steps=steps, frame=frame, background=background, line_weight=line_weight
    )
    drawn, traced = asyncio.run(_make(photo, options))
    png.write_bytes(drawn)
    svg.write_bytes(traced)
    if as_json:
        typer.echo(json.dumps({"page": str(png), "svg": str(svg)}))
    else:
        typer.echo(f"{png}\n{svg}")


async def _make(photo: Path, options: ColoringOptions) -> tuple[bytes, bytes]:
    """Make PNG and SVG. Raises :class:`PageError` and ``JobError``."""
    # Imported here so that the other commands start faster.
    from pastelka_coloring.providers import ColoringRequest  # noqa: PLC0415
    from pastelka_coloring.providers.local import LocalColoringProvider  # noqa: PLC0415
    from pastelka_common.telemetry import log_to_stderr  # noqa: PLC0415
    from pastelka_vectorize.providers import SvgRequest  # noqa: PLC0415
    from pastelka_vectorize.providers.local import LocalSvgProvider  # noqa: PLC0415
    from pastelka_vectorize.svg import clean  # noqa: PLC0415

    log_to_stderr()
    with tempfile.TemporaryDirectory(prefix="pastelka-page-") as folder:
        stored, drawn = Path(folder, "photo"), Path(folder, "page.png")
        await asyncio.to_thread(_store, photo, stored)
        coloring, vectorize = LocalColoringProvider(), LocalSvgProvider()
        report: Any = _NoReport()
        try:
            request = ColoringRequest(
                partial(_at, stored),
                options.megapixels,
                options.steps,
                options.frame,
                options.background,
                options.line_weight,
            )
            png = await coloring.color(request, report)
            await asyncio.to_thread(drawn.write_bytes, png)
            chosen = SvgOptions()
            wanted = SvgRequest(partial(_at, drawn), chosen.shape_stacking, chosen.group_by)
            svg = await vectorize.vectorize(wanted, report)
        finally:
            await coloring.aclose()
            await vectorize.aclose()
        return png, await asyncio.to_thread(clean, svg)


def _store(photo: Path, target: Path) -> None:
    """Write the photo to ``target`` as orders stores it: upright, sRGB, JPEG or PNG."""
    from pastelka_orders.photos.errors import Refusal  # noqa: PLC0415
    from pastelka_orders.photos.normalise import normalise, prepare_decoders  # noqa: PLC0415
    from pastelka_orders.photos.photo_limits import PhotoLimits  # noqa: PLC0415

    prepare_decoders(threads=1)
    try:
        stored = normalise(photo.read_bytes(), limits=PhotoLimits(), room_for=lambda _: nullcontext())
    except Refusal as refusal:
        raise PageError(f"{photo}: {refusal.reason}") from refusal
    target.write_bytes(stored.content)


@asynccontextmanager
async def _at(path: Path) -> AsyncIterator[Path]:
    yield path
