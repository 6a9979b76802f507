"""The notifier service: publishes committed events as Mercure updates, in sequence for each order."""
