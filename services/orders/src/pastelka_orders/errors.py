"""What can go wrong by the caller's doing: one small class per business failure.

Each has an HTTP status, a stable code and a sentence; ``api.problems`` renders them in one place
as ``application/problem+json`` (RFC 9457).
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class OrdersError(Exception):
    """A request that cannot be fulfilled. ``ids`` name what it was about."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    title: ClassVar[str] = "Bad request"

    def __init__(self, detail: str, **ids: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.ids = ids

    @property
    def headers(self) -> Mapping[str, str]:
        """What the answer says beside the problem."""
        return {}


class NotFoundError(OrdersError):
    """There is nothing by that name or id."""

    status = 404
    code = "not_found"
    title = "Not found"


class OrderNotFoundError(NotFoundError):
    """No such order."""

    code = "order_not_found"

    def __init__(self, order_number: str) -> None:
        super().__init__(f"There is no order {order_number!r}.", order_number=order_number)


class ImageNotFoundError(NotFoundError):
    """No such image (in that order)."""

    code = "image_not_found"

    def __init__(self, image_id: int) -> None:
        super().__init__(f"There is no image {image_id} here.", image_id=image_id)


class LineItemNotFoundError(NotFoundError):
    """No such line item in that order."""

    code = "line_item_not_found"

    def __init__(self, item_id: int) -> None:
        super().__init__(f"There is no line item {item_id} here.", line_item_id=item_id)


class PreconditionFailedError(OrdersError):
    """Somebody else changed it since it was read."""

    status = 412
    code = "precondition_failed"
    title = "Precondition failed"

    def __init__(self) -> None:
        super().__init__("It was changed since it was read; read it again and repeat the change.")


class VersionNotFoundError(NotFoundError):
    """No such version (of that image)."""

    code = "version_not_found"

    def __init__(self, kind: str, version_id: int) -> None:
        super().__init__(f"There is no {kind} version {version_id} here.", version_id=version_id)


class ConflictError(OrdersError):
    """The present state forbids it."""

    status = 409
    code = "conflict"
    title = "The present state forbids it"


class OptionUnsupportedError(OrdersError):
    """The coloring provider does not take an option."""

    status = 422
    code = "option_unsupported"
    title = "The coloring provider does not take this option"

    def __init__(self, provider: str, options: Sequence[str], taken: Sequence[str]) -> None:
        super().__init__(
            f"The coloring provider {provider!r} does not take {', '.join(options)};"
            f" it takes {', '.join(taken)}. Leave the others out, or set COLORING_PROVIDER to a provider"
            " that takes them.",
            provider=provider,
            options=list(options),
        )


class PhotoMissingError(ConflictError):
    """The photo is not stored yet."""

    code = "photo_missing"

    def __init__(self, image_id: int) -> None:
        super().__init__(
            f"The photo of image {image_id} is not stored yet; wait for its download.", image_id=image_id
        )


class NoColoringError(ConflictError):
    """There is no finished coloring page to vectorize."""

    code = "no_completed_coloring"

    def __init__(self, image_id: int) -> None:
        super().__init__(
            f"Image {image_id} has no completed coloring; generate one and wait for it.", image_id=image_id
        )


class OrderCancelledError(ConflictError):
    """The shop cancelled the order."""

    code = "order_cancelled"

    def __init__(self, order_number: str) -> None:
        super().__init__(
            f"Order {order_number} was cancelled in the shop; nothing is made or exported for it.",
            order_number=order_number,
        )


class ItemRemovedError(ConflictError):
    """The shop removed the line item."""

    code = "line_item_removed"

    def __init__(self, image_id: int) -> None:
        super().__init__(
            f"The line item of image {image_id} was removed in the shop; nothing is made for it.",
            image_id=image_id,
        )


class NothingToDoError(ConflictError):
    """No image of the order can be worked on."""

    code = "nothing_to_do"

    def __init__(self, order_number: str, detail: str) -> None:
        super().__init__(detail, order_number=order_number)


class NothingChosenError(ConflictError):
    """There is no file to take away."""

    code = "nothing_chosen"

    def __init__(self, order_number: str, what: str) -> None:
        reason = {
            "coloring": "has no chosen coloring page; choose a completed one.",
            "svg": "has no chosen SVG; choose a completed one.",
            "photos": "has no stored photo yet; wait for its download.",
        }[what]
        super().__init__(f"Order {order_number} {reason}", order_number=order_number)


class FileMissingError(ConflictError):
    """A file that should be there is not."""

    code = "file_missing"

    def __init__(self, name: str) -> None:
        super().__init__(f"The file for {name} is not in the storage; generate it again or choose another.")


class NotPrintableError(ConflictError):
    """The books of an order cannot be composed: a damaged page, too many sheets, too much work."""

    code = "not_printable"


class BookNotFoundError(NotFoundError):
    """No such version of an order's book."""

    code = "book_not_found"

    def __init__(self, order_number: str, version: int) -> None:
        super().__init__(
            f"Order {order_number} has no book version {version}.",
            order_number=order_number,
            version=version,
        )


class BookFindingsError(ConflictError):
    """The preflight found errors."""

    code = "book_has_errors"

    def __init__(self, order_number: str, findings: Sequence[str]) -> None:
        super().__init__(
            f"The book of order {order_number} has errors: {' '.join(findings)}",
            order_number=order_number,
            findings=list(findings),
        )


class BookStateError(ConflictError):
    """The state of a book version forbids it."""

    code = "book_state"

    def __init__(self, order_number: str, version: int, reason: str) -> None:
        super().__init__(
            f"Book version {version} of order {order_number} {reason}.",
            order_number=order_number,
            version=version,
        )


class BooksMissingError(ConflictError):
    """Orders that have no finished book cannot be printed together."""

    code = "books_missing"

    def __init__(self, order_numbers: Sequence[str]) -> None:
        super().__init__(
            f"No finished book of these orders: {', '.join(order_numbers)}; compose them first.",
            order_numbers=list(order_numbers),
        )


class NotCompletedError(ConflictError):
    """Only a completed version can be chosen."""

    code = "version_not_completed"

    def __init__(self, kind: str, version_id: int, status: str) -> None:
        super().__init__(
            f"The {kind} version {version_id} is {status}; only a completed one can be chosen.",
            version_id=version_id,
            version_status=status,
        )


class NotRetryableError(ConflictError):
    """Only a failed version can be tried again."""

    code = "version_not_retryable"

    def __init__(self, kind: str, version_id: int, status: str) -> None:
        super().__init__(
            f"The {kind} version {version_id} is {status}; only one in error can be tried again.",
            version_id=version_id,
            version_status=status,
        )


class AlreadyEndedError(ConflictError):
    """A version that has ended cannot be cancelled."""

    code = "version_already_ended"

    def __init__(self, kind: str, version_id: int, status: str) -> None:
        super().__init__(
            f"The {kind} version {version_id} is {status} already; there is nothing to cancel.",
            version_id=version_id,
            version_status=status,
        )


class ShopNotConfiguredError(ConflictError):
    """There is no shop to ask."""

    code = "shop_not_configured"

    def __init__(self) -> None:
        super().__init__("No shop is connected; set SHOPIFY_STORE_URL and SHOPIFY_ACCESS_TOKEN.")


class NotOfShopError(ConflictError):
    """Only an order of the shop can be read from it."""

    code = "order_not_of_shop"

    def __init__(self, order_number: str) -> None:
        super().__init__(
            f"Order {order_number} was made by hand; there is nothing to read from the shop.",
            order_number=order_number,
        )


class WebhookNotVerifiedError(OrdersError):
    """The webhook is not signed with the shop's secret."""

    status = 401
    code = "webhook_not_verified"
    title = "The webhook is not verified"

    def __init__(self) -> None:
        super().__init__(
            "X-Shopify-Hmac-Sha256 is not the signature of this body with SHOPIFY_WEBHOOK_SECRET; "
            "nothing was stored."
        )


class OtherShopError(OrdersError):
    """The webhook is of another shop."""

    status = 403
    code = "other_shop"
    title = "The webhook is of another shop"

    def __init__(self, domain: str) -> None:
        super().__init__(f"X-Shopify-Shop-Domain is {domain}; expected the shop that is connected.")


class ExportsBusyError(OrdersError):
    """As many ZIPs and PDFs are being made as may be at once."""

    status = 429
    code = "exports_busy"
    title = "Too many exports at once"

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} ZIPs and PDFs are being made, and no more at once; try again in a moment.")

    @property
    def headers(self) -> Mapping[str, str]:
        """When to try again, in seconds."""
        return {"Retry-After": "5"}


class BadCursorError(OrdersError):
    """The cursor is not one this API handed out."""

    status = 422
    code = "bad_cursor"
    title = "Bad cursor"

    def __init__(self) -> None:
        super().__init__("cursor is not one that this API handed out; start without it.")


class RefusedMessageNotFoundError(NotFoundError):
    """The outbox has no refused message of this number (any more)."""

    code = "refused_message_not_found"

    def __init__(self, message_id: int) -> None:
        super().__init__(
            f"The outbox has no refused message {message_id}; it was published or discarded.",
            message_id=message_id,
        )


class DeadLetterNotFoundError(NotFoundError):
    """No such dead letter (any more)."""

    code = "dead_letter_not_found"

    def __init__(self, sequence: int) -> None:
        super().__init__(
            f"There is no dead letter {sequence}; it was requeued, dismissed, or is older than 30 days.",
            sequence=sequence,
        )


class NotRequeueableError(ConflictError):
    """What was given up on cannot be asked for again."""

    code = "dead_letter_not_requeueable"

    def __init__(self, sequence: int, reason: str) -> None:
        super().__init__(f"Dead letter {sequence} cannot be requeued: {reason}", sequence=sequence)


class BrokerDownError(OrdersError):
    """NATS does not answer."""

    status = 503
    code = "broker_unavailable"
    title = "The message broker does not answer"

    def __init__(self) -> None:
        super().__init__("NATS does not answer; try again in a moment.")


class UploadAbandonedError(OrdersError):
    """Storing the photos took so long that the upload was taken for one that a crash ended."""

    status = 503
    code = "upload_abandoned"
    title = "Upload abandoned"

    def __init__(self) -> None:
        super().__init__("Storing the photos took longer than six hours; nothing was kept. Send them again.")
