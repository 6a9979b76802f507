"""Compares active versions in the database with the broker, and repairs those that no message will finish.

PostgreSQL is the source of truth; the broker may lose acknowledged messages, be restored from an older copy,
or be purged by hand.
"""

from pastelka_orders.reconciler.loop import Reconciler
from pastelka_orders.reconciler.reconcile_pass import ReconcilePass, Repair

__all__ = ["ReconcilePass", "Reconciler", "Repair"]
