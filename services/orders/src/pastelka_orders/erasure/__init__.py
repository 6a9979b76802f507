"""Orders are erased: files, rows and messages, with a record that names nobody.

Why it is done in this order, and what remains: ``docs/decisions/0022-erasure.md``.
"""

from pastelka_orders.erasure.eraser import Eraser
from pastelka_orders.erasure.loop import Retention, RetentionResult

__all__ = ["Eraser", "Retention", "RetentionResult"]
