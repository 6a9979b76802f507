"""Cursors of keyset pages: a time and what breaks ties, as text for URLs."""

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

from pastelka_orders.errors import BadCursorError


def encode(moment: datetime, *rest: str | int) -> str:
    """A cursor after this place."""
    return base64.urlsafe_b64encode(json.dumps([moment.isoformat(), *rest]).encode()).decode()


def decode(cursor: str) -> tuple[datetime, list[Any]]:
    """The place of a cursor, its time in UTC; the caller checks the rest. Raises ``BadCursorError``."""
    try:
        text, *rest = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        # In UTC the year may be out of range, which would crash the driver.
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, TypeError, OverflowError, binascii.Error, UnicodeError):
        raise BadCursorError from None
    if moment.tzinfo is None:
        raise BadCursorError
    return moment, rest
