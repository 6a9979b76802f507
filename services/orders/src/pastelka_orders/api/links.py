"""OpenAPI links: from an operation's response to possible next operations."""

from typing import Any

from pastelka_orders.api.problems import Responses

_NUMBER = {"order_number": "$response.body#/order_number"}
_FIRST_IMAGE = {"image_id": "$response.body#/line_items/0/images/0/id"}
_OF_ORDER = (
    "get_order",
    "get_timeline",
    "get_order_queue",
    "generate_order_coloring",
    "generate_order_svg",
    "download_order",
    "print_order",
    "delete_order",
)
_OF_IMAGE = ("generate_image_coloring", "generate_image_svg", "list_coloring_versions", "list_svg_versions")


def of_order(status: int) -> Responses:
    """From an order to itself, and to its first image."""
    links = {name: _link(name, **_NUMBER) for name in _OF_ORDER}
    links |= {name: _link(name, **_FIRST_IMAGE) for name in _OF_IMAGE}
    return {status: {"links": links | {"get_image": _link("get_image", **_NUMBER, **_FIRST_IMAGE)}}}


def of_image(status: int) -> Responses:
    """From an image to its versions, and to choosing one."""
    links = {name: _link(name, image_id="$response.body#/id") for name in _OF_IMAGE}
    for kind in ("coloring", "svg"):
        version = f"$response.body#/versions/{kind}/0/id"
        links[f"select_{kind}"] = _link(f"select_{kind}", image_id="$response.body#/id", version_id=version)
    return {status: {"links": links}}


def of_version(status: int, kind: str) -> Responses:
    """From a version to its operations."""
    version = "$response.body#/id"
    return {
        status: {
            "links": {
                f"cancel_{kind}": _link(f"cancel_{kind}", version_id=version),
                f"retry_{kind}": _link(f"retry_{kind}", version_id=version),
            }
        }
    }


def of_versions(status: int, kind: str) -> Responses:
    """From an image's versions to choosing one."""
    name = f"select_{kind}"
    choice = {"image_id": "$request.path.image_id", "version_id": "$response.body#/0/id"}
    return {status: {"links": {name: _link(name, **choice)}}}


def _link(operation: str, **parameters: str) -> dict[str, Any]:
    return {"operationId": operation, "parameters": parameters}
