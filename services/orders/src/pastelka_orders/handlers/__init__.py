"""Use cases, each in one transaction; HTTP routes and consumers call the same handlers."""
