"""Runs the service."""

from pastelka_vectorize.entrypoint import main

main()
