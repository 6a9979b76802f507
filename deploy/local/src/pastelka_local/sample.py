"""The sample order: five real photos (``sample/SOURCES.md`` says whose) through the whole line."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

CUSTOMER = "Ukázková objednávka"
_NOTE = "Pět volně šířených fotek; odkud jsou, říká sample/SOURCES.md."
_POLL_SECONDS = 0.5
_DEADLINE_SECONDS = 900.0


class SampleError(Exception):
    """The sample order could not be made or did not complete."""


@dataclass(frozen=True)
class SampleProgress:
    """How far an order is."""

    images: int
    pages: int
    svgs: int
    steps: tuple[str, ...]
    errors: tuple[str, ...]

    @property
    def done(self) -> bool:
        """Whether every image has its page and its SVG."""
        return self.images > 0 and self.pages == self.svgs == self.images

    def __str__(self) -> str:
        steps = f" ({', '.join(self.steps)})" if self.steps else ""
        return f"{self.pages} of {self.images} pages, {self.svgs} of {self.images} SVGs{steps}"


def photos() -> list[Path]:
    """The sample's photos."""
    return sorted(Path(__file__).with_name("sample").glob("*.jpg"))


async def make_sample(
    address: str, *, again: bool, show: Callable[[str, SampleProgress], None], token: str | None = None
) -> str:
    """Make the sample order unless it is there (or ``again``), wait until it is done; its number.

    ``token`` is an API token, where the API asks for one. ``show`` gets the order's number and its
    progress whenever that changes. Raises :class:`SampleError`.
    """
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"{address}/api/v1", headers=headers, timeout=60) as client:
        try:
            number = None if again else await _existing(client)
            if number is None:
                number = await _create(client)
            await _until_done(client, number, show)
        except (httpx.HTTPError, KeyError, ValueError) as error:
            raise SampleError(f"the API did not answer as it should: {error!r}") from error
        return number


async def _existing(client: httpx.AsyncClient) -> str | None:
    found = await _json(await client.get("/orders", params={"q": CUSTOMER, "limit": 1}))
    return next((str(order["order_number"]) for order in found["items"]), None)


async def _create(client: httpx.AsyncClient) -> str:
    with ExitStack() as stack:
        files = [
            ("photos", (photo.name, stack.enter_context(photo.open("rb")), "image/jpeg"))
            for photo in photos()
        ]
        form = {"customer_name": CUSTOMER, "note": _NOTE, "process": "svg"}
        order = await _json(await client.post("/orders", data=form, files=files))
    return str(order["order_number"])


async def _until_done(
    client: httpx.AsyncClient, number: str, show: Callable[[str, SampleProgress], None]
) -> None:
    deadline, last = time.monotonic() + _DEADLINE_SECONDS, None
    while True:
        progress = progress_of(await _json(await client.get(f"/orders/{number}")))
        if progress != last:
            show(number, progress)
        last = progress
        if progress.done:
            return
        if progress.errors and not progress.steps:
            raise SampleError(f"order {number} ended with errors: {'; '.join(progress.errors)}")
        if time.monotonic() > deadline:
            raise SampleError(f"order {number} was not done within {_DEADLINE_SECONDS:g} s: {progress}")
        await asyncio.sleep(_POLL_SECONDS)


def progress_of(order: dict[str, Any]) -> SampleProgress:
    """How far the order is that ``GET orders/{order_number}`` answered."""
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


async def _json(response: httpx.Response) -> Any:
    if response.is_error:
        raise SampleError(f"{response.request.method} {response.request.url} answered {response.text[:500]}")
    return response.json()
