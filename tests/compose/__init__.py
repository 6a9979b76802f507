"""Checks of ``deploy/compose``: what is in it, and what Docker Compose says of it."""
