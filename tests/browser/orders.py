"""Reads orders from the API, for comparison with the screen."""

from typing import Any

from tests.system import System


def images_of(order: Any) -> list[Any]:
    """All images of an order."""
    return [image for item in order["line_items"] for image in item["images"]]


async def images(system: System, number: str) -> list[Any]:
    """All images of an order, fetched from the API."""
    return images_of(await system.get(f"/orders/{number}"))


async def statuses(system: System, number: str) -> dict[str, str]:
    """Committed status of every version by ``<image>/<kind>/<version>``, the recorder's keys."""
    return {
        f"{image['id']}/{kind}/{version['version']}": version["status"]
        for image in await images(system, number)
        for kind in ("coloring", "svg")
        for version in image["versions"][kind]
    }


async def count(system: System, number: str, kind: str, status: str) -> int:
    """Number of versions of a kind in a status."""
    found = await statuses(system, number)
    return sum(1 for key, value in found.items() if f"/{kind}/" in key and value == status)
