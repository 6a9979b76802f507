"""Runs the service."""

from pastelka_notifier.entrypoint import main

if __name__ == "__main__":
    main()
