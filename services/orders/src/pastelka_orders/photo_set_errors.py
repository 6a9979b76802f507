"""Errors of changing the set of an order's photos and line items; see :mod:`pastelka_orders.errors`."""

from pastelka_orders.errors import ConflictError, OrdersError


class PhotoApprovedError(ConflictError, code="image_approved"):
    """The photo of an approved page stays."""

    def __init__(self, image_id: int, change: str) -> None:
        super().__init__(
            f"The page of image {image_id} is approved; lift the approval before its photo is {change}.",
            image_id=image_id,
        )


class PhotosFullError(ConflictError, code="photos_too_many"):
    """The order has as many photos as an order may have."""

    def __init__(self, order_number: str, limit: int) -> None:
        super().__init__(
            f"Order {order_number} has its full number of photos; the limit is {limit}.",
            order_number=order_number,
            limit=limit,
        )


class KeyReusedError(ConflictError, code="idempotency_key_reused"):
    """The client's key stands for something else."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason} Send another Idempotency-Key.")


class OfShopError(ConflictError, code="order_of_shop"):
    """Only the shop adds and removes line items of its orders."""

    def __init__(self, order_number: str) -> None:
        super().__init__(
            f"Order {order_number} is the shop's; add or remove its line items in the shop.",
            order_number=order_number,
        )


class LastLineItemError(ConflictError, code="last_line_item"):
    """An order keeps a line item."""

    def __init__(self, order_number: str) -> None:
        super().__init__(
            f"This is the last line item of order {order_number}; delete the order instead.",
            order_number=order_number,
        )


class UploadInterruptedError(OrdersError, code="upload_interrupted", title="Upload interrupted"):
    """The connection ended before the whole file was received."""

    def __init__(self) -> None:
        super().__init__("The connection ended before the whole photo was received; send it again.")
