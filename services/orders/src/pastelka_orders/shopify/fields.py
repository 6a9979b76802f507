"""Types that both shapes of an order share, the webhook's and the Admin API's."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
_LAST = datetime(2100, 1, 1, tzinfo=UTC)


class Shape(BaseModel):
    """What the shop sends has many more fields; those that are not named here are not looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


def _storable(value: Any) -> Any:
    """PostgreSQL takes no NUL; what is left empty is nothing."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "").strip() or None


Words = Annotated[str | None, BeforeValidator(_storable)]
"""Text, or ``None`` where it is empty."""
ShopId = Annotated[int, Field(ge=1, le=2**63 - 1)]
"""An id at Shopify, as a number or in digits."""
Quantity = Annotated[int, Field(ge=0, le=2**31 - 1)]
Moment = Annotated[AwareDatetime, Field(ge=_FIRST, lt=_LAST)]


def full_name(first: str | None, last: str | None) -> str | None:
    """First and last name, or ``None`` where there is neither."""
    return " ".join(part for part in (first, last) if part) or None
