"""What a database that was put back from a backup must be told before the services start.

A dump knows nothing of what happened after it: orders that were erased, tokens that were revoked,
ids that were given out. ``record`` keeps that beside the backups, ``reconcile_after_restore`` applies it
and repairs the seams between rows, files and provider jobs.
"""
