"""The notifier service: committed events become Mercure updates, each order's in their order."""
