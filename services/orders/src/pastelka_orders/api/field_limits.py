"""How much of anything a request may bring. What an operator may change is in ``OrdersSettings``.

Limits of photos are in ``photos.photo_limits``, of what the shop sends in ``shopify.parsing``, of the options
of pages in ``pastelka_common.contracts.options``.
"""

MAX_ID = 2**31 - 1
"""Of a database id: the columns are ``integer``. There is none beyond, so it is 404."""

MAX_SEQUENCE = 2**53 - 1
"""Of a dead letter's number, which JavaScript reads, too."""

PAGE_SIZE, MIN_PAGE, MAX_PAGE = 50, 1, 200
"""Orders in one page of the list."""

ORDER_NUMBER_LENGTH = 100
CURSOR_LENGTH = 200
SEARCH_LENGTH = 100
CUSTOMER_NAME_LENGTH = 200
NOTE_LENGTH = 2000
REASON_LENGTH = 500
"""Of why a page was sent back, or an order is on hold."""

TITLE_LENGTH = 200
DEDICATION_LENGTH = 2000
LAYOUT_LENGTH = 100
MAX_COPIES = 999
"""Of one line item."""

FORM_FIELDS = 10
"""Parts of an upload that are no photos."""
FORM_FIELD_BYTES = 16 * 1024

HEAD_BYTES = 32 * 1024
"""Request line and headers together."""

QUERY_PARAMETERS = 50
"""Of an address: more than any route has."""
COOKIE_ESCAPES = 200
"""Backslashes in all cookies; ours have none."""
CONTENT_TYPE_BYTES = 1000

EXPORT_SECONDS = 900
"""A ZIP or PDF is sent for as long, however slowly it is read."""
