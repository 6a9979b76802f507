"""Backup record, and reconciliation of a restored database before the services start.

A dump lacks what happened after it: erased orders, revoked tokens, assigned ids. ``record`` stores that with
the backups; ``reconcile_after_restore`` applies it and reconciles rows, files and provider jobs.
"""
