"""``python -m pastelka_local``."""

from pastelka_local.cli import main

main()
