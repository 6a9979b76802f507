"""Causes every alert on a running system and checks that a real Prometheus fires it."""
