"""Checks of ``deploy/compose``: its files, and Docker Compose's interpretation of them."""
