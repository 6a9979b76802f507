"""Builds the images of ``deploy/images`` for real and runs the system from them: ``make test-images``."""
