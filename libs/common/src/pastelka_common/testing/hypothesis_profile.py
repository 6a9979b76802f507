"""Settings of Hypothesis for all members."""

from hypothesis import settings


def load() -> None:
    """Set no deadline for an example: on a busy machine it says nothing about the code."""
    settings.register_profile("pastelka", deadline=None)
    settings.load_profile("pastelka")
