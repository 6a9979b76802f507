"""Types that both shapes of an order share, the webhook's and the Admin API's."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from pastelka_orders.domain import text

TEXT_LENGTH = 500
"""Of names, titles and the like; what is longer is cut, and says so by its last character."""
LONG_TEXT_LENGTH = 4000
"""Of dedication and layout, likewise."""
VALUE_LENGTH = 10_000
"""Of an attribute: more than a photo's address may have, so that such a one is refused and not cut."""

_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
_LAST = datetime(2100, 1, 1, tzinfo=UTC)


class ShopifyModel(BaseModel):
    """What the shop sends has many more fields; those that are not named here are not looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


def _storable(value: Any) -> Any:
    """Names, numbers and titles on one line; what is left empty is nothing."""
    if not isinstance(value, str):
        return value
    return truncate(text.single_line(value), TEXT_LENGTH) or None


def truncate(value: str, length: int) -> str:
    """``value``, of ``length`` characters at most."""
    return value if len(value) <= length else value[: length - 1] + "…"


def _moment(value: Any) -> Any:
    """pydantic takes a number for seconds since 1970; here it would be a mistake."""
    if value is not None and not (isinstance(value, str) and "T" in value):
        raise ValueError("must be a moment such as 2026-11-01T10:00:00+01:00")
    return value


OptionalText = Annotated[str | None, BeforeValidator(_storable)]
"""Text, or ``None`` where it is empty."""


def _number(value: Any) -> Any:
    """pydantic takes ``true`` for 1."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - what pydantic collects
    return value


_DIGITS = {"type": "string", "pattern": r"^0*[1-9][0-9]{0,8}$"}
ShopId = Annotated[
    int,
    Field(ge=1, le=2**63 - 1),
    BeforeValidator(_number),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 2**63 - 1}, _DIGITS]}),
]
"""An id at Shopify, as a number or in digits."""
Quantity = Annotated[
    int,
    Field(ge=0, le=2**31 - 1),
    BeforeValidator(_number),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0, "maximum": 2**31 - 1}, _DIGITS]}),
]
Moment = Annotated[AwareDatetime, Field(ge=_FIRST, lt=_LAST), BeforeValidator(_moment)]


def full_name(first: str | None, last: str | None) -> str | None:
    """First and last name, or ``None`` where there is neither."""
    return " ".join(part for part in (first, last) if part) or None
