"""Runs the service."""

from pastelka_coloring.entrypoint import main

main()
