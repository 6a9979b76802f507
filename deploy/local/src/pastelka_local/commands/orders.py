"""``pastelka orders list|show|create|watch|print``: orders, through the API."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pastelka_local.api_client import ApiClient, ApiError, connect
from pastelka_local.sample import progress_of
from pastelka_local.settings import read_settings

app = typer.Typer(help="List, show, create, watch and print orders.", no_args_is_help=True)

_RECONNECT_SECONDS = 1.0

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The order's number, such as M1000.")]
Url = Annotated[
    str | None,
    typer.Option(envvar="PASTELKA_URL", help="Address of a Pastelka; default: the local stack."),
]
Token = Annotated[str | None, typer.Option(envvar="PASTELKA_TOKEN", help="API token for that address.")]
Run = Callable[[ApiClient], Coroutine[Any, Any, None]]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class ProcessTarget(StrEnum):
    """Processing that a new order starts automatically."""

    NONE = "none"
    COLORING = "coloring"
    SVG = "svg"


@app.command("list")
def list_orders(
    q: Annotated[
        str | None, typer.Argument(metavar="[WORDS]", help="Words of the number or customer.")
    ] = None,
    *,
    status: Annotated[str | None, typer.Option(help="Only orders of this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Maximum number of orders, newest first.")] = 50,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List the newest orders, or those that have all WORDS."""
    asked: dict[str, str | int] = {
        "limit": limit,
        **({"q": q} if q else {}),
        **({"status": status} if status else {}),
    }

    async def run(api: ApiClient) -> None:
        page = await api.get("/orders", **asked)
        if as_json:
            _print_json(page["items"])
            return
        table = _table("order", "customer", "status", "photos", "pages", "SVGs", "created")
        for item in page["items"]:
            table.add_row(
                item["order_number"],
                item["customer_name"] or "",
                item["status"],
                *(str(item[name]) for name in ("image_count", "coloring_completed", "svg_completed")),
                item["created_at"][:16].replace("T", " "),
            )
        Console().print(table)

    _call(url, token, run)


@app.command()
def show(number: Number, *, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Show an order's photos with the state of their pages and SVGs."""

    async def run(api: ApiClient) -> None:
        order = await api.get(f"/orders/{number}")
        if as_json:
            _print_json(order)
            return
        console = Console()
        console.print(
            f"{order['order_number']}  {order['customer_name'] or ''}  {order['status']}", highlight=False
        )
        table = _table("line item", "image", "photo", "page", "SVG")
        for title, image in _images(order):
            photo = "missing" if image["url"] is None else "stored"
            table.add_row(
                title, str(image["id"]), photo, *(_newest(image, kind) for kind in ("coloring", "svg"))
            )
        console.print(table)

    _call(url, token, run)


@app.command()
def create(
    photos: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True)],
    *,
    customer: Annotated[str | None, typer.Option(help="The customer's name.")] = None,
    note: Annotated[str | None, typer.Option(help="A note for the studio.")] = None,
    process: Annotated[
        ProcessTarget, typer.Option(help="Processing to start automatically.")
    ] = ProcessTarget.NONE,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Create an order from PHOTOS, in the order of the pages."""
    form = {"process": process.value, "customer_name": customer, "note": note}

    async def run(api: ApiClient) -> None:
        filled = {name: value for name, value in form.items() if value is not None}
        order = await api.create_order(photos, filled)
        if as_json:
            _print_json(order)
            return
        for refused in order["refused_photos"]:
            typer.echo(f"{refused['name']}: {refused['detail']}", err=True)
        typer.echo(order["order_number"])

    _call(url, token, run)


@app.command()
def watch(number: Number, *, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Show an order's progress live from the hub until all of its work has ended.

    Exits 1 if the newest page or SVG of a photo ended in an error.
    """

    async def run(api: ApiClient) -> None:
        last: object = None
        async for order in _states(api, number):
            progress = progress_of(order)
            if progress != last:
                typer.echo(json.dumps(_progress_document(order)) if as_json else f"{number}: {progress}")
            last = progress
            if not progress.steps and order["status"] not in {"pending", "downloading"}:
                if progress.errors:
                    raise ApiError(f"Order {number} ended with errors: {'; '.join(progress.errors)}")
                return

    _call(url, token, run)


@app.command("print")
def print_order(
    number: Number,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Default: NUMBER.pdf in this folder.")
    ] = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Save the PDF of an order's chosen pages."""
    file = output or Path(f"{number}.pdf")

    async def run(api: ApiClient) -> None:
        size = await api.save(f"/orders/{number}/print", file)
        if as_json:
            _print_json({"file": str(file), "bytes": size})
        else:
            typer.echo(f"{file}: {size:,} bytes")

    _call(url, token, run)


def _call(url: str | None, token: str | None, run: Run) -> None:
    async def connected() -> None:
        async with connect(read_settings(), url, token) as api:
            await run(api)

    asyncio.run(connected())


async def _states(api: ApiClient, number: str) -> AsyncIterator[dict[str, Any]]:
    """Yield the order now and after each of its updates; reconnects when the hub's stream ends."""
    path = f"/orders/{number}"
    await api.get(path)  # the first response sets the hub's cookie
    while True:
        try:
            async with api.events(f"orders/{number}") as events:
                yield await api.get(path)
                async for _ in events:
                    yield await api.get(path)
        except ApiError:
            await api.get(path)  # raises if the API is unavailable as well
        await asyncio.sleep(_RECONNECT_SECONDS)


def _progress_document(order: dict[str, Any]) -> dict[str, Any]:
    versions = [
        {
            "image_id": image["id"],
            "status_type": kind,
            "version": version["version"],
            "status": version["status"],
        }
        for _, image in _images(order)
        for kind, of_kind in image["versions"].items()
        for version in of_kind[-1:]
    ]
    return {"order_number": order["order_number"], "status": order["status"], "versions": versions}


def _images(order: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(item["title"] or "", image) for item in order["line_items"] for image in item["images"]]


def _newest(image: dict[str, Any], kind: str) -> str:
    versions = image["versions"][kind]
    if not versions:
        return ""
    error = versions[-1].get("error")
    return f"v{versions[-1]['version']} {versions[-1]['status']}" + (f": {error['message']}" if error else "")


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _print_json(document: object) -> None:
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
