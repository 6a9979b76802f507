"""The procedure of docs/backup.md, followed on a system at work."""
