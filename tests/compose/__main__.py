"""``python -m tests.compose``: gets Docker Compose before the tests wait for it."""

from tests.compose.composer import WITHOUT, command

if command() is None:
    print(f"skipped: {WITHOUT}")
