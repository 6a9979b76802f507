"""Field types of Shopify's documents; parses the valid parts of one, and reports the others.

Shopify deletes a webhook subscription after eight failures, so no content is rejected.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails, from_json

from pastelka_orders.domain import text

TEXT_LENGTH = 500
"""Of names, titles and similar; longer text is truncated with an ellipsis."""
LONG_TEXT_LENGTH = 4000
"""Of dedication and layout, likewise."""
VALUE_LENGTH = 10_000
"""Of an attribute: more than a photo's URL may have, so that a long URL is refused, not truncated."""
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
_LAST = datetime(2100, 1, 1, tzinfo=UTC)
_DIGITS = {"type": "string", "pattern": r"^0*[1-9][0-9]{0,8}$"}
MAX_PROBLEMS = 20
"""Reported problems per document."""
_MAX_PASSES = 6
_MESSAGE_LENGTH = 200


class ShopifyModel(BaseModel):
    """Base model; fields of Shopify that are not declared are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


def _storable(value: Any) -> Any:
    """Single-line text; empty becomes ``None``."""
    if not isinstance(value, str):
        return value
    return truncate(text.single_line(value), TEXT_LENGTH) or None


def truncate(value: str, length: int) -> str:
    """``value``, truncated to ``length`` characters."""
    return value if len(value) <= length else value[: length - 1] + "…"


def _moment(value: Any) -> Any:
    """Reject numbers, which pydantic would read as seconds since 1970."""
    if value is not None and not (isinstance(value, str) and "T" in value):
        raise ValueError("must be a timestamp such as 2026-11-01T10:00:00+01:00")
    return value


OptionalText = Annotated[str | None, BeforeValidator(_storable)]
"""Text, or ``None`` if empty."""


def _number(value: Any) -> Any:
    """Reject booleans, which pydantic would read as 1 or 0."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - what pydantic collects
    return value


ShopId = Annotated[
    int,
    Field(ge=1, le=2**63 - 1),
    BeforeValidator(_number),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 2**63 - 1}, _DIGITS]}),
]
"""An id of Shopify, as a number or a string of digits."""


Quantity = Annotated[
    int,
    Field(ge=0, le=2**31 - 1),
    BeforeValidator(_number),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0, "maximum": 2**31 - 1}, _DIGITS]}),
]


Moment = Annotated[AwareDatetime, Field(ge=_FIRST, lt=_LAST), BeforeValidator(_moment)]


def full_name(first: str | None, last: str | None) -> str | None:
    """First and last name, or ``None`` if both are missing."""
    return " ".join(part for part in (first, last) if part) or None


M = TypeVar("M", bound=ShopifyModel)


@dataclass(frozen=True, slots=True)
class ParseResult(Generic[M]):
    """``value`` is ``None`` if nothing could be parsed; ``problems`` name the ignored fields."""

    value: M | None
    problems: tuple[str, ...] = ()


def document_of(body: bytes) -> dict[str, Any] | None:
    """Parse ``body`` as a JSON object; ``None`` if it is not one. Invalid UTF-8 is replaced."""
    try:
        found = from_json(body)
    except ValueError:
        try:
            found = json.loads(body.decode("utf-8-sig", "replace"))
        except (ValueError, RecursionError):
            return None
    return found if isinstance(found, dict) else None


def read(model: type[M], document: dict[str, Any]) -> ParseResult[M]:
    """Parse ``document`` without its invalid parts, which are removed from it.

    A list that is too long is truncated. A part that lacks a required field is removed entirely.
    """
    problems: dict[str, None] = {}
    for _ in range(_MAX_PASSES):
        try:
            return ParseResult(model.model_validate(document), tuple(problems)[:MAX_PROBLEMS])
        except ValidationError as error:
            details = error.errors(include_input=False, include_url=False)
        problems |= dict.fromkeys(map(_problem, details))
        if not _remove_parts(document, details):
            break
    return ParseResult(None, tuple(problems)[:MAX_PROBLEMS])


def _problem(detail: ErrorDetails) -> str:
    where = ".".join(map(str, detail["loc"])) or "the document"
    return f"{where}: {detail['msg']}"[:_MESSAGE_LENGTH]


def _remove_parts(document: dict[str, Any], details: Sequence[ErrorDetails]) -> bool:
    """Remove the parts that the details name; ``False`` if the document itself is invalid."""
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
    """The existing prefix of ``path``: the part itself, or the parent that lacks it."""
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
