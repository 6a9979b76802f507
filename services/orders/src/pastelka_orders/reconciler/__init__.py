"""What should be in hand is compared with what is, and what no message will ever finish is repaired.

PostgreSQL is the truth; the broker may lose messages it has acknowledged, go back to an older copy
of its store, or be emptied by hand.
"""

from pastelka_orders.reconciler.loop import Reconciler
from pastelka_orders.reconciler.reconcile_pass import ReconcilePass, Repair

__all__ = ["ReconcilePass", "Reconciler", "Repair"]
