"""Runs the service."""

from pastelka_vectorize.entrypoint import main

if __name__ == "__main__":
    main()
