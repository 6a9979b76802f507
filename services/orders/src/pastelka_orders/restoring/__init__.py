"""What a database that was put back from a backup must be told before the services start.

A dump knows nothing of what happened after it: orders that were erased, tokens that were revoked,
ids that were given out. ``record`` keeps that beside the backups, ``settle`` applies it and mends
the seams between rows, files and provider jobs.
"""

from pastelka_orders.restoring.record import Record, parsed_record, read_record, take_record
from pastelka_orders.restoring.settle import NotSettledError, Settled, settle

__all__ = [
    "NotSettledError",
    "Record",
    "Settled",
    "parsed_record",
    "read_record",
    "settle",
    "take_record",
]
