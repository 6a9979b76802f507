"""Hooks of schemathesis for what OpenAPI cannot express; loaded through ``SCHEMATHESIS_HOOKS``."""

import base64
import hashlib
import hmac
import json
import os
from datetime import UTC, date, datetime
from typing import Any

import requests
import schemathesis
from hypothesis import strategies as st
from requests.auth import AuthBase
from schemathesis import GenerationMode

from tests.api.seed import FIRST_SVG_IMAGE, picture

SIGNATURE = "X-Shopify-Hmac-Sha256"
_TOPIC = "X-Shopify-Topic"
_FIRST, _LAST = datetime(2015, 1, 1), datetime(2026, 1, 1)  # noqa: DTZ001 - what hypothesis takes

_moments = st.datetimes(_FIRST, _LAST, timezones=st.just(UTC)).map(datetime.isoformat)


def _encode(cursor: tuple[str | int, ...]) -> str:
    return base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()


_cursors = st.tuples(_moments, st.integers(1, 99)).map(_encode)
_history_cursors = st.tuples(_moments, st.sampled_from(("order", "version")), st.integers(1, 99)).map(_encode)

# Cursors are opaque values of the API, options a document in a text; the shop's dates lie in this century.
schemathesis.openapi.format("cursor", _cursors)
schemathesis.openapi.format("history-cursor", _history_cursors)
schemathesis.openapi.format("coloring-options", st.sampled_from(("{}", '{"megapixels": 2.0, "steps": 6}')))
schemathesis.openapi.format("date", st.dates(_FIRST.date(), _LAST.date()).map(date.isoformat))
schemathesis.openapi.format("date-time", _moments)


class Signed(AuthBase):
    """Signs the body as it is sent."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        raw = body.encode() if isinstance(body, str) else body
        digest = hmac.new(self._secret.encode(), raw, hashlib.sha256).digest()
        request.headers[SIGNATURE] = base64.b64encode(digest).decode()
        return request


@schemathesis.hook("before_call").apply_to(path="/api/v1/webhooks/shopify", method="POST")
def sign(_context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Sign as the shop does, unless the case omits a header; use a subscribed topic."""
    headers = case.headers or {}
    if _TOPIC in headers:
        headers[_TOPIC] = "orders/create"
    if SIGNATURE in headers:
        kwargs["auth"] = Signed(os.environ["WEBHOOK_SECRET"])


@schemathesis.hook("before_call").apply_to(path="/api/v1/orders", method="POST")
def attach(_context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Replace generated files with photos: random bytes are hardly ever one.

    Negative cases keep their files, which may be the invalid part.
    """
    body = case.body
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if isinstance(body, dict) and isinstance(body.get("photos"), list):
        photos = [("photos", (f"{n}.jpg", picture("JPEG", n))) for n in range(len(body["photos"]))]
        words = [(name, (None, value)) for name, value in body.items() if isinstance(value, str)]
        kwargs["files"] = [*words, *photos]


@schemathesis.hook("before_call").apply_to(path_regex="/photos?$")
def attach_photo(_context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Replace a generated body by a photo, likewise."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if case.method in {"POST", "PUT"}:
        kwargs["data"] = picture("JPEG", 1)


@schemathesis.hook("before_call").apply_to(path_regex="/select-")
def match(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Half of the selected versions belong to the image: independently drawn ids hardly ever match."""
    given = str(case.path_parameters.get("image_id"))
    image = int(given) if given.isascii() and given.isdigit() and len(given) < 6 else 1
    if image % 2 == 0:
        case.path_parameters["version_id"] = (
            image if "coloring" in case.path else max(image - FIRST_SVG_IMAGE + 1, 0)
        )


@schemathesis.hook("before_call").apply_to(path_regex="/books")
def fit_paper(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Custom paper has both sides, other paper none: a rule over three fields."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    for options in (case.body, case.query):
        if not isinstance(options, dict):
            continue
        for side in ("width_mm", "height_mm"):
            options.pop(side, None)
        if options.get("paper") == "custom":
            options.update(width_mm=200, height_mm=210)


@schemathesis.hook("before_call").apply_to(path_regex="/line-items(/{item_id})?$|/orders/manual$")
def name_title(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """A title has a visible character; which are visible is beyond a pattern."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if isinstance(case.body, dict) and isinstance(case.body.get("title"), str):
        case.body["title"] = f"A{case.body['title'][1:]}"


@schemathesis.hook("before_call").apply_to(path_regex="/edit$", method="PATCH")
def crop_inside(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """A crop ends inside the photo, and leaves enough of it: rules over two fields and the photo's size."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if isinstance(case.body, dict) and isinstance(case.body.get("crop"), dict):
        case.body["crop"] = {"left": 0.05, "width": 0.9}


@schemathesis.hook("before_call").apply_to(path_regex="/rework$|/notes$|/orders/{order_number}$")
def name_reason(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """A reason and a note have a visible character, likewise."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    for name in ("reason", "on_hold_reason", "text"):
        if isinstance(case.body, dict) and isinstance(case.body.get(name), str):
            case.body[name] = f"A{case.body[name][1:]}"


@schemathesis.hook("before_call").apply_to(path="/api/v1/orders", method="GET")
def filter_once(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """A list is filtered by a status or by a stage: a rule over two fields."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if case.query and case.query.get("status") is not None:
        case.query.pop("stage", None)
