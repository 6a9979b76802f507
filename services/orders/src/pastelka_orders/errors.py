"""Errors caused by a request: one small class per business failure.

Each has an HTTP status, a stable code and a sentence; ``api.problems`` renders them in one place
as ``application/problem+json`` (RFC 9457).
"""

import errno
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""Error numbers of a file that cannot be written for want of space."""


class OrdersError(Exception):
    """A request that cannot be fulfilled. ``ids`` identify its subject.

    A subclass overrides what differs from its base: HTTP ``status``, stable ``code``, ``title``.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    title: ClassVar[str] = "Bad request"

    def __init_subclass__(cls, **differs: Any) -> None:
        for name, value in differs.items():
            setattr(cls, name, value)

    def __init__(self, detail: str, **ids: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.ids = ids

    @property
    def headers(self) -> Mapping[str, str]:
        """Additional headers of the response."""
        return {}


class NotFoundError(OrdersError, status=404, code="not_found", title="Not found"):
    """No object has this name or id."""


class OrderNotFoundError(NotFoundError, code="order_not_found"):
    """No such order."""

    def __init__(self, order_number: str) -> None:
        super().__init__(f"No order {order_number!r}.", order_number=order_number)


class ImageNotFoundError(NotFoundError, code="image_not_found"):
    """No such image (in that order)."""

    def __init__(self, image_id: int) -> None:
        super().__init__(f"No image {image_id}.", image_id=image_id)


class LineItemNotFoundError(NotFoundError, code="line_item_not_found"):
    """No such line item in that order."""

    def __init__(self, item_id: int) -> None:
        super().__init__(f"No line item {item_id} in this order.", line_item_id=item_id)


class NoteNotFoundError(NotFoundError, code="note_not_found"):
    """The order's history has no such note."""

    def __init__(self, note_id: int) -> None:
        super().__init__(f"The order has no note {note_id}.", note_id=note_id)


class PreconditionFailedError(
    OrdersError, status=412, code="precondition_failed", title="Precondition failed"
):
    """Another request changed the object since it was read."""

    def __init__(self) -> None:
        super().__init__("Changed since it was read; read it again and repeat the change.")


class VersionNotFoundError(NotFoundError, code="version_not_found"):
    """No such version (of that image)."""

    def __init__(self, kind: str, version_id: int) -> None:
        super().__init__(f"No {kind} version {version_id}.", version_id=version_id)


class ConflictError(OrdersError, status=409, code="conflict", title="Conflict"):
    """The current state does not allow the request."""


class OptionUnsupportedError(
    OrdersError,
    status=422,
    code="option_unsupported",
    title="Option not supported",
):
    """The coloring provider does not support an option."""

    def __init__(self, provider: str, options: Sequence[str], supported: Sequence[str]) -> None:
        super().__init__(
            f"The coloring provider {provider!r} does not support {', '.join(options)};"
            f" supported are {', '.join(supported)}. Omit the others, or set COLORING_PROVIDER to a provider"
            " that supports them.",
            provider=provider,
            options=list(options),
        )


class PhotoMissingError(ConflictError, code="photo_missing"):
    """The photo is not stored yet."""

    def __init__(self, image_id: int) -> None:
        super().__init__(
            f"The photo of image {image_id} is not stored yet; wait for its download.", image_id=image_id
        )


class NoColoringError(ConflictError, code="no_completed_coloring"):
    """There is no finished coloring page to vectorize."""

    def __init__(self, image_id: int) -> None:
        super().__init__(
            f"Image {image_id} has no completed coloring; generate one and wait for it.", image_id=image_id
        )


class OrderCancelledError(ConflictError, code="order_cancelled"):
    """The shop cancelled the order."""

    def __init__(self, order_number: str) -> None:
        super().__init__(
            f"Order {order_number} was cancelled in the shop; nothing is generated or exported for it.",
            order_number=order_number,
        )


class ItemRemovedError(ConflictError, code="line_item_removed"):
    """The shop removed the line item."""

    def __init__(self, item: str, refused: str, **ids: int) -> None:
        super().__init__(f"{item} was removed in the shop; {refused}.", **ids)


class NothingToDoError(ConflictError, code="nothing_to_do"):
    """No image of the order can be processed."""

    def __init__(self, order_number: str, detail: str) -> None:
        super().__init__(detail, order_number=order_number)


class NothingChosenError(ConflictError, code="nothing_chosen"):
    """There is no file to export."""

    def __init__(self, what: str, *order_numbers: str) -> None:
        reason = {
            "coloring": "has no chosen coloring page; choose a completed one.",
            "svg": "has no chosen SVG; choose a completed one.",
            "photos": "has no stored photo yet; wait for its download.",
        }[what]
        ids = {"order_number": order_numbers[0], "order_numbers": list(order_numbers)}
        super().__init__(f"Order {', '.join(order_numbers)} {reason}", **ids)


class NoChosenPageError(ConflictError, code="no_chosen_page"):
    """There is no page to approve or to send back."""

    def __init__(self, image_id: int) -> None:
        super().__init__(
            f"Image {image_id} has no chosen coloring page; choose a completed one.", image_id=image_id
        )


class ChoiceChangedError(ConflictError, code="choice_changed"):
    """Another page was chosen meanwhile."""

    def __init__(self, image_id: int, version_id: int) -> None:
        super().__init__(
            f"Coloring version {version_id} is not chosen any more; read image {image_id} again.",
            image_id=image_id,
            version_id=version_id,
        )


class ImageApprovedError(ConflictError, code="image_approved"):
    """An approved choice is frozen."""

    def __init__(self, image_id: int) -> None:
        super().__init__(
            f"The page of image {image_id} is approved; lift the approval before another is chosen.",
            image_id=image_id,
        )


class FileMissingError(ConflictError, code="file_missing"):
    """A file that a row names is missing."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The file for {name} is not in the storage; generate it again or choose another.")


class NotPrintableError(ConflictError, code="not_printable"):
    """The books of an order cannot be composed: a damaged page, too many sheets, too much work."""


class BookNotFoundError(NotFoundError, code="book_not_found"):
    """No such version of an order's book."""

    def __init__(self, order_number: str, version: int) -> None:
        super().__init__(
            f"Order {order_number} has no book version {version}.",
            order_number=order_number,
            version=version,
        )


class BookFindingsError(ConflictError, code="book_has_errors"):
    """The preflight found errors."""

    def __init__(self, order_number: str, findings: Sequence[str]) -> None:
        super().__init__(
            f"The book of order {order_number} has errors: {' '.join(findings)}",
            order_number=order_number,
            findings=list(findings),
        )


class BookStateError(ConflictError, code="book_state"):
    """The state of a book version does not allow the request."""

    def __init__(self, order_number: str, version: int, reason: str) -> None:
        super().__init__(
            f"Book version {version} of order {order_number} {reason}.",
            order_number=order_number,
            version=version,
        )


class BookUnavailableError(OrdersError, status=503, code="book_not_composed", title="Book not composed"):
    """The composer has no room for its files, or ended unexpectedly; trying again may help."""


class BooksOutdatedError(ConflictError, code="books_outdated"):
    """The newest books of these orders are outdated."""

    def __init__(self, order_numbers: Sequence[str]) -> None:
        super().__init__(
            f"These orders were changed since their books were composed: {', '.join(order_numbers)};"
            " compose them again, or send force=true to print the books as they are.",
            order_numbers=list(order_numbers),
        )


class BooksTooLargeError(ConflictError, code="books_too_large"):
    """The books of the orders are too large to be one PDF."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(
            f"The books have {size / 2**20:.0f} MB together; one PDF is made of {most / 2**20:.0f} MB at"
            " most. Choose fewer orders.",
            bytes=size,
            max_bytes=most,
        )


class BooksMissingError(ConflictError, code="books_missing"):
    """Orders that have no finished book cannot be printed together."""

    def __init__(self, order_numbers: Sequence[str]) -> None:
        super().__init__(
            f"No finished book of these orders: {', '.join(order_numbers)}; compose them first.",
            order_numbers=list(order_numbers),
        )


class _VersionStatusError(ConflictError):
    """The version's status does not allow the request."""

    sentence: ClassVar[str]

    def __init__(self, kind: str, version_id: int, status: str) -> None:
        detail = f"The {kind} version {version_id} is {status}{self.sentence}"
        super().__init__(detail, version_id=version_id, version_status=status)


class NotCompletedError(_VersionStatusError, code="version_not_completed"):
    """Only a completed version can be chosen."""

    sentence = "; only a completed one can be chosen."


class NotRetryableError(_VersionStatusError, code="version_not_retryable"):
    """Only a failed version can be tried again."""

    sentence = "; only a failed one can be retried."


class AlreadyEndedError(_VersionStatusError, code="version_already_ended"):
    """A version that has ended cannot be cancelled."""

    sentence = "; only an active one can be cancelled."


class ShopNotConfiguredError(ConflictError, code="shop_not_configured"):
    """No shop is configured."""

    def __init__(self) -> None:
        super().__init__("No shop is connected; set SHOPIFY_STORE_URL and SHOPIFY_ACCESS_TOKEN.")


class NotOfShopError(ConflictError, code="order_not_of_shop"):
    """The order is not from the shop."""

    def __init__(self, order_number: str) -> None:
        super().__init__(
            f"Order {order_number} was created by hand; it cannot be fetched from the shop.",
            order_number=order_number,
        )


class WebhookNotVerifiedError(
    OrdersError, status=401, code="webhook_not_verified", title="Webhook not verified"
):
    """The webhook is not signed with the shop's secret."""

    def __init__(self) -> None:
        super().__init__(
            "X-Shopify-Hmac-Sha256 is not the signature of this body with SHOPIFY_WEBHOOK_SECRET; "
            "nothing was stored."
        )


class OtherShopError(OrdersError, status=403, code="other_shop", title="Webhook of another shop"):
    """The webhook comes from another shop."""

    def __init__(self, domain: str) -> None:
        super().__init__(f"X-Shopify-Shop-Domain is {domain}; expected the connected shop.")


class ExportsBusyError(OrdersError, status=429, code="exports_busy", title="Too many exports"):
    """The limit of concurrent exports is reached."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"All {limit} export slots are in use; try again in a moment.")

    @property
    def headers(self) -> Mapping[str, str]:
        """``Retry-After`` in seconds."""
        return {"Retry-After": "5"}


class BadCursorError(OrdersError, status=422, code="bad_cursor", title="Bad cursor"):
    """The cursor was not issued by this API."""

    def __init__(self) -> None:
        super().__init__("The cursor was not issued by this API; start without one.")


class RefusedMessageNotFoundError(NotFoundError, code="refused_message_not_found"):
    """The outbox has no refused message of this number (any more)."""

    def __init__(self, message_id: int) -> None:
        super().__init__(
            f"The outbox has no refused message {message_id}; it was published or discarded.",
            message_id=message_id,
        )


class DeadLetterNotFoundError(NotFoundError, code="dead_letter_not_found"):
    """No such dead letter (any more)."""

    def __init__(self, sequence: int) -> None:
        super().__init__(
            f"No dead letter {sequence}; it was requeued, dismissed, or is older than 30 days.",
            sequence=sequence,
        )


class NotRequeueableError(ConflictError, code="dead_letter_not_requeueable"):
    """The job of a dead letter cannot be enqueued again."""

    def __init__(self, sequence: int, reason: str) -> None:
        super().__init__(f"Dead letter {sequence} cannot be requeued: {reason}", sequence=sequence)


class BrokerDownError(OrdersError, status=503, code="broker_unavailable", title="Message broker unavailable"):
    """NATS is unavailable."""

    def __init__(self) -> None:
        super().__init__("NATS is unavailable; try again in a moment.")


class UploadAbandonedError(OrdersError, status=503, code="upload_abandoned", title="Upload abandoned"):
    """Storing the photos took so long that the upload was cleaned up as abandoned."""

    def __init__(self) -> None:
        super().__init__("Storing the photos took longer than six hours; none was kept. Send them again.")
