"""Reads what can be read of a signed document, and names what cannot.

Shopify deletes a webhook subscription after eight refusals, so no content of a webhook is refused.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json

from pastelka_orders.shopify.fields import ShopifyModel

M = TypeVar("M", bound=ShopifyModel)

MAX_PROBLEMS = 20
"""Of one document; more are not named."""
_MAX_PASSES = 6
_MESSAGE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class ParseResult(Generic[M]):
    """``value`` is ``None`` where nothing could be read; ``problems`` name the fields that were left out."""

    value: M | None
    problems: tuple[str, ...] = ()


def document_of(body: bytes) -> dict[str, Any] | None:
    """The JSON object in ``body``; ``None`` if there is none. Bytes that are no UTF-8 are replaced."""
    try:
        found = from_json(body)
    except ValueError:
        try:
            found = json.loads(body.decode("utf-8-sig", "replace"))
        except (ValueError, RecursionError):
            return None
    return found if isinstance(found, dict) else None


def read(model: type[M], document: dict[str, Any]) -> ParseResult[M]:
    """The model of ``document`` without the parts that are wrong; they are taken out of ``document``.

    A list that is too long is cut. A part that lacks what it needs is left out whole.
    """
    problems: dict[str, None] = {}
    for _ in range(_MAX_PASSES):
        try:
            return ParseResult(model.model_validate(document), tuple(problems)[:MAX_PROBLEMS])
        except ValidationError as error:
            details = error.errors(include_input=False, include_url=False)
        problems |= dict.fromkeys(map(_problem, details))
        if not _take_out(document, details):
            break
    return ParseResult(None, tuple(problems)[:MAX_PROBLEMS])


def _problem(detail: ErrorDetails) -> str:
    where = ".".join(map(str, detail["loc"])) or "the document"
    return f"{where}: {detail['msg']}"[:_MESSAGE_LENGTH]


def _take_out(document: dict[str, Any], details: Sequence[ErrorDetails]) -> bool:
    """Remove what the details name; ``False`` if the document itself is what is wrong."""
    lists: dict[int, list[Any]] = {}
    indices: defaultdict[int, set[int]] = defaultdict(set)
    for detail in details:
        path = _existing(document, detail["loc"])
        if detail["type"] == "too_long":
            del _at(document, path)[detail["ctx"]["max_length"] :]
            continue
        if not path:
            return False
        parent = _at(document, path[:-1])
        if isinstance(parent, list):
            lists[id(parent)] = parent
            indices[id(parent)].add(int(path[-1]))
        else:
            parent.pop(path[-1], None)
    for key, found in lists.items():
        found[:] = [one for index, one in enumerate(found) if index not in indices[key]]
    return True


def _existing(document: dict[str, Any], path: Sequence[str | int]) -> tuple[str | int, ...]:
    """As much of ``path`` as there is: the part itself, or what lacks it."""
    found: Any = document
    for depth, step in enumerate(path):
        is_there = (isinstance(found, dict) and step in found) or (
            isinstance(found, list) and isinstance(step, int) and step < len(found)
        )
        if not is_there:
            return tuple(path[:depth])
        found = found[step]
    return tuple(path)


def _at(document: dict[str, Any], path: Sequence[str | int]) -> Any:
    found: Any = document
    for step in path:
        found = found[step]
    return found
