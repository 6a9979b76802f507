"""Limits of request fields. Configurable limits are in ``OrdersSettings``.

Limits of photos are in ``photos.photo_limits``, of the shop's data in ``shopify.parsing``, of page options in
``pastelka_common.contracts.options``.
"""

MAX_ID = 2**31 - 1
"""Of a database id: the columns are ``integer``. Larger ids are 404."""

MAX_SEQUENCE = 2**53 - 1
"""Of a dead letter's number: exact in JavaScript."""

PAGE_SIZE, MIN_PAGE, MAX_PAGE = 50, 1, 200
"""Orders per page of the list."""

ORDER_NUMBER_LENGTH = 100
MAX_JOINED = 100
"""Orders whose books become one PDF, or whose files one ZIP."""
MAX_ESTIMATED = 1000
"""Orders whose cost is estimated at once."""

CURSOR_LENGTH = 200
SEARCH_LENGTH = 100
CUSTOMER_NAME_LENGTH = 200
ASSIGNEE_LENGTH = 200
NOTE_LENGTH = 2000
REASON_LENGTH = 500
"""Of why a page was sent back, or an order is on hold."""

OPTIONS_LENGTH = 1000
"""JSON of coloring options in a form."""

TITLE_LENGTH = 200
DEDICATION_LENGTH = 2000
LAYOUT_LENGTH = 100
MAX_COPIES = 999
"""Per line item."""

IDEMPOTENCY_KEY_LENGTH = 100
FILE_NAME_LENGTH = 500
MAX_PHOTO_POSITION = 100_000

FORM_FIELDS = 10
"""Parts of an upload other than photos."""
FORM_FIELD_BYTES = 16 * 1024

HEAD_BYTES = 32 * 1024
"""Request line and headers together."""

QUERY_PARAMETERS = 50
"""Per URL: more than any route has."""
COOKIE_ESCAPES = 200
"""Backslashes in all cookies; ours have none."""
CONTENT_TYPE_BYTES = 1000

EXPORT_SECONDS = 900
"""Time limit of sending a ZIP or PDF, however slow the client is."""
