"""Orders whose optional fields are absent, null, of another type or huge, through the webhook's endpoint.

``PASTELKA_PAYLOAD_EXAMPLES`` is how many are sent (60 by default).
"""

import json
import os
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pastelka_orders.shopify.parsing import document_of
from pastelka_orders.shopify.payloads import OrderPayload, normalise

EXAMPLES = int(os.environ.get("PASTELKA_PAYLOAD_EXAMPLES", "60"))
SAMPLE = Path(__file__).parent / "payloads" / "create.json"
HUGE = 200_000

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(st.characters(), max_size=30)
    | st.sampled_from(
        ["x" * HUGE, "\0", "\ud800", "#", "0", "-1", "1e400", "2026-11-20T10:15:30+01:00", " " * HUGE]
    )
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
READ = {
    "id", "admin_graphql_api_id", "name", "email", "contact_email", "financial_status", "created_at",
    "updated_at", "cancelled_at", "customer", "first_name", "last_name", "shipping_lines", "title",
    "is_removed", "line_items", "quantity", "current_quantity", "properties", "value",
}  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the document has something that is read, or something within it."""
    if path and (path[-1] in READ or isinstance(path[-1], int)):
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        if path or key in READ:
            yield from places(one, (*path, key))


WHOLE: dict[str, Any] = json.loads(SAMPLE.read_text("utf-8"))
PLACES = sorted(set(places(WHOLE)), key=str)
HEAD = [path for path in PLACES if len(path) == 1]


@st.composite
def payloads(draw: st.DrawFn) -> dict[str, Any]:
    """The recorded order with some fields gone or replaced."""
    document = deepcopy(WHOLE)
    for path in draw(st.lists(st.sampled_from(HEAD) | st.sampled_from(PLACES), min_size=1, max_size=5)):
        parent: Any = document
        for step in path[:-1]:
            is_there = (isinstance(parent, dict) and step in parent) or (
                isinstance(parent, list) and isinstance(step, int) and step < len(parent)
            )
            parent = parent[step] if is_there else None
        if isinstance(parent, dict) or (isinstance(parent, list) and path[-1] in range(len(parent))):
            if isinstance(parent, dict) and draw(st.booleans()):
                parent.pop(path[-1], None)
            else:
                parent[path[-1]] = draw(ANYTHING)
    return document


def can_be_read(body: bytes) -> bool:
    """Whether the order has nothing that must be left out."""
    document = document_of(body)
    assert document is not None
    normalise(document)
    try:
        OrderPayload.model_validate(document)
    except ValidationError:
        return False
    return True


@pytest.mark.timeout(3600)
async def test_no_signed_payload_is_rejected_or_lost(shop: Any, api: Any, sql: asyncpg.Connection) -> None:
    readable = unreadable = 0
    for document in [deepcopy(WHOLE), *examples()]:
        body = json.dumps(document).encode()
        await sql.execute("TRUNCATE orders, unread_webhooks, shopify_webhooks, outbox, shop_jobs CASCADE")
        await shop.send(body)
        orders = (await api.get("/orders"))["items"]
        if not orders:
            assert await sql.fetchval("SELECT body FROM unread_webhooks WHERE order_id IS NULL") is not None
            continue
        (order,) = orders
        assert ("unread_fields" not in order) == can_be_read(body), order
        unreadable += "unread_fields" in order
        readable += "unread_fields" not in order
        assert (await api.http.get(f"/orders/{quote(order['order_number'], safe='')}")).status_code == 200
    assert min(readable, unreadable) > 0


def examples() -> list[dict[str, Any]]:
    """As many documents as are asked for; the same ones each time."""
    found: list[dict[str, Any]] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(payloads())
    def collect(document: dict[str, Any]) -> None:
        found.append(document)

    collect()
    return found


def test_the_generator_covers_every_field_that_is_read() -> None:
    assert {path[-1] for path in PLACES if isinstance(path[-1], str)} >= READ - {
        "admin_graphql_api_id",
        "is_removed",
    }
