"""The procedure of docs/backup.md, performed on a system under load."""
