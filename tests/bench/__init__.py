"""Measures throughput and cost of the whole system with real servers."""
