"""Runs the service."""

from pastelka_notifier.entrypoint import main

main()
