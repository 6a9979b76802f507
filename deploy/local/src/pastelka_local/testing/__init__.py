"""The whole system on real parts, for tests and benchmarks: started, killed and looked at by code."""

from pastelka_common.testing.subscriber import Subscriber
from pastelka_local.testing.services import Service
from pastelka_local.testing.stack import RunningStack, StackOptions

__all__ = ["RunningStack", "Service", "StackOptions", "Subscriber"]
