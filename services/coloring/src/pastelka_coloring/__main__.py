"""Runs the service."""

from pastelka_coloring.entrypoint import main

if __name__ == "__main__":
    main()
