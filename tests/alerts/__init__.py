"""Every alert is caused on a running system, and a real Prometheus has to see it."""
