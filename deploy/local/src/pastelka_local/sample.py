"""The sample order: five real photos (sources in ``sample/SOURCES.md``) through the whole pipeline."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pastelka_local.api_client import ApiClient

CUSTOMER = "Ukázková objednávka"
_NOTE = "Pět volně šířených fotek; odkud jsou, říká sample/SOURCES.md."
_POLL_SECONDS = 0.5
_DEADLINE_SECONDS = 900.0


class SampleError(Exception):
    """The sample order could not be created or did not complete."""


@dataclass(frozen=True)
class SampleProgress:
    """Progress of an order."""

    images: int
    pages: int
    svgs: int
    steps: tuple[str, ...]
    errors: tuple[str, ...]

    @property
    def done(self) -> bool:
        """Whether every image has a page and an SVG."""
        return self.images > 0 and self.pages == self.svgs == self.images

    def __str__(self) -> str:
        steps = f" ({', '.join(self.steps)})" if self.steps else ""
        return f"{self.pages} of {self.images} pages, {self.svgs} of {self.images} SVGs{steps}"


def photos() -> list[Path]:
    """The sample's photos."""
    return sorted(Path(__file__).with_name("sample").glob("*.jpg"))


async def make_sample(api: ApiClient, *, again: bool, show: Callable[[str, SampleProgress], None]) -> str:
    """Create the sample order unless it exists (or ``again``), wait for its completion; returns its number.

    ``show`` receives the order's number and its progress at each change. Raises :class:`SampleError` and
    :class:`ApiError`.
    """
    try:
        number = None if again else await _existing(api)
        if number is None:
            form = {"customer_name": CUSTOMER, "note": _NOTE, "process": "svg"}
            number = str((await api.create_order(photos(), form))["order_number"])
        await _until_done(api, number, show)
    except (KeyError, ValueError) as error:
        raise SampleError(f"unexpected response of the API: {error!r}") from error
    return number


async def _existing(api: ApiClient) -> str | None:
    found = await api.get("/orders", q=CUSTOMER, limit=1)
    return next((str(order["order_number"]) for order in found["items"]), None)


async def _until_done(api: ApiClient, number: str, show: Callable[[str, SampleProgress], None]) -> None:
    deadline, last = time.monotonic() + _DEADLINE_SECONDS, None
    while True:
        progress = progress_of(await api.get(f"/orders/{number}"))
        if progress != last:
            show(number, progress)
        last = progress
        if progress.done:
            return
        if progress.errors and not progress.steps:
            raise SampleError(f"order {number} ended with errors: {'; '.join(progress.errors)}")
        if time.monotonic() > deadline:
            raise SampleError(f"order {number} did not complete within {_DEADLINE_SECONDS:g} s: {progress}")
        await asyncio.sleep(_POLL_SECONDS)


def progress_of(order: dict[str, Any]) -> SampleProgress:
    """Progress of an order as returned by ``GET orders/{order_number}``."""
    images = [image for item in order["line_items"] for image in item["images"]]
    versions = [version for image in images for kind in image["versions"].values() for version in kind]
    latest = [kind[-1] for image in images for kind in image["versions"].values() if kind]
    steps = [
        str(version["status"]) for version in versions if version["status"] not in {"completed", "error"}
    ]
    errors = [str(version.get("error") or "error") for version in latest if version["status"] == "error"]
    return SampleProgress(
        images=len(images),
        pages=sum(_has_completed(image, "coloring") for image in images),
        svgs=sum(_has_completed(image, "svg") for image in images),
        steps=tuple(sorted(set(steps))),
        errors=tuple(dict.fromkeys(errors)),
    )


def _has_completed(image: dict[str, Any], kind: str) -> bool:
    return any(version["status"] == "completed" for version in image["versions"][kind])
