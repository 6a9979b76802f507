"""Compares the versions that should be active with those that are, and repairs what no message will finish.

PostgreSQL is the truth; the broker may lose messages it has acknowledged, go back to an older copy
of its store, or be emptied by hand.
"""

from pastelka_orders.reconciler.loop import Reconciler
from pastelka_orders.reconciler.reconcile_pass import ReconcilePass, Repair

__all__ = ["ReconcilePass", "Reconciler", "Repair"]
