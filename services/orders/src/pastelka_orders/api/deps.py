"""Dependencies of routes: built once in the app's lifespan, never at import."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Path, Request, Response
from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter

from pastelka_common.storage import Storage, public_url
from pastelka_orders.access.authenticator import Authenticator
from pastelka_orders.access.client_info import ProxyHeaders
from pastelka_orders.access.origin import OriginPolicy
from pastelka_orders.access.sign_in import SignIn
from pastelka_orders.api import field_limits
from pastelka_orders.api.subscriptions import Subscriptions
from pastelka_orders.book.process import BookComposer
from pastelka_orders.broker import Broker
from pastelka_orders.database import Database, Work
from pastelka_orders.exports import ExportSlots
from pastelka_orders.handlers.system import System
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.repository.views import Views
from pastelka_orders.settings import OrdersSettings

T = TypeVar("T")

ViewWork = Callable[[Views], Awaitable[T]]
"""A read by one query or several."""

_JSON = "application/json"

_DIGITS = re.compile(r"[0-9]{17,}")


def _truncated(value: object) -> object:
    """Truncate numbers that are too long for ``int``; no such id exists."""
    return 2**63 if isinstance(value, str) and _DIGITS.fullmatch(value) else value


# An id beyond the column's range does not exist: 404, never 500.
Id = Annotated[int, Field(ge=0), BeforeValidator(_truncated), Path(description="Database id")]
Sequence = Annotated[
    int, Field(ge=1), BeforeValidator(_truncated), Path(description="Number of the dead letter")
]
OrderNumber = Annotated[
    str,
    Path(
        min_length=1,
        max_length=field_limits.ORDER_NUMBER_LENGTH,
        pattern=r"^[^/\x00]+$",
        examples=["1270", "M1000"],
    ),
]

IfMatch = Annotated[
    str | None,
    Header(max_length=1000, description="`ETag` of what was read; 412 if it has changed since"),
]


@dataclass(frozen=True)
class Access:
    """Parts of authentication and authorization."""

    proxy_headers: ProxyHeaders
    origins: OriginPolicy
    authenticator: Authenticator
    sign_in: SignIn


@dataclass(frozen=True)
class Services:
    """Dependencies of all routes."""

    settings: OrdersSettings
    database: Database
    storage: Storage
    intake: PhotoIntake
    subscriptions: Subscriptions
    broker: Broker
    system: System
    composer: BookComposer
    exports: ExportSlots
    access: "Access"

    @property
    def files(self) -> str:
        """Base URL of stored files."""
        return public_url(self.settings.static_url, "") or ""

    async def view(self, work: ViewWork[T]) -> T:
        """Run a read of ``Views``."""
        shop, configured = self.settings.shop_orders_url, self.settings.shop_configured
        return await self.database.read(
            lambda connection: work(Views(connection, self.files, shop, shop_configured=configured))
        )

    async def write(self, work: Work[T]) -> T:
        """Run ``work`` in one transaction."""
        return await self.database.write(work)


async def _services(request: Request) -> Services:
    # Async although it awaits nothing: FastAPI runs synchronous dependencies in a thread.
    found: Services = request.app.state.services
    return found


Deps = Annotated[Services, Depends(_services)]


def document_response(
    request: Request, model: type[BaseModel] | TypeAdapter[object], document: str
) -> Response:
    """Respond with a JSON document, validated as ``model``, with an ``ETag``; 304 if it is unchanged.

    The database returns the document as text; pydantic validates and serializes it in one pass, several times
    faster than through our own Python objects.
    """
    if isinstance(model, TypeAdapter):
        body = model.dump_json(model.validate_json(document))
    else:
        body = model.model_validate_json(document).model_dump_json().encode()
    return etag_response(request, body)


def etag_response(request: Request, body: bytes) -> Response:
    """``body`` with an ``ETag``, or 304."""
    tag = etag_of(body)
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.method in {"GET", "HEAD"} and etag_matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=_JSON, headers=headers)


def etag_of(body: bytes) -> str:
    """The ``ETag`` of a document."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def etag_matches(header: str | None, tag: str) -> bool:
    """Whether ``If-Match`` or ``If-None-Match`` names this ``ETag``."""
    if header is None:
        return False
    candidates = {candidate.strip().removeprefix("W/") for candidate in header.split(",")}
    return tag in candidates or "*" in candidates
