"""The whole system on real parts, for tests and benchmarks: started, killed and looked at by code."""

from pastelka_local.testing.services import Service
from pastelka_local.testing.stack import Stack, StackOptions
from pastelka_local.testing.subscriber import Subscriber

__all__ = ["Service", "Stack", "StackOptions", "Subscriber"]
