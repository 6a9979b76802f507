"""``python -m tests.compose``: builds Docker Compose before the tests need it."""

from tests.compose.composer import WITHOUT, command

if command() is None:
    print(f"skipped: {WITHOUT}")
