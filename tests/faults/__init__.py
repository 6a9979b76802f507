"""Injects faults into Pastelka at seeded moments and checks that all work still ends correctly."""
