"""Starts, kills and inspects the whole system with real servers, for tests and benchmarks."""

from pastelka_common.testing.subscriber import Subscriber
from pastelka_local.testing.services import Service
from pastelka_local.testing.stack import RunningStack, StackOptions

__all__ = ["RunningStack", "Service", "StackOptions", "Subscriber"]
