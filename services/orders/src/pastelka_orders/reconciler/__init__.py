"""What should be in hand is compared with what is, and what no message will ever finish is mended.

PostgreSQL is the truth; the broker may lose messages it has acknowledged, go back to an older copy
of its store, or be emptied by hand.
"""

from pastelka_orders.reconciler.loop import Reconciler
from pastelka_orders.reconciler.sweep import Mended, Sweep

__all__ = ["Mended", "Reconciler", "Sweep"]
