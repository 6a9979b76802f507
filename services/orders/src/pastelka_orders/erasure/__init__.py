"""Erases orders: files and rows; the remaining record contains no personal data.

Rationale, and what remains: ``docs/decisions/0022-erasure.md``.
"""

from pastelka_orders.erasure.eraser import Eraser
from pastelka_orders.erasure.loop import Retention

__all__ = ["Eraser", "Retention"]
