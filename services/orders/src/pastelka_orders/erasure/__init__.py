"""Erases orders: files and rows; the record that remains holds no name.

Reasons for the order of the steps, and what remains: ``docs/decisions/0022-erasure.md``.
"""

from pastelka_orders.erasure.eraser import Eraser
from pastelka_orders.erasure.loop import Retention

__all__ = ["Eraser", "Retention"]
