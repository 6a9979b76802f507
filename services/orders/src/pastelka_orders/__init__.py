"""The orders service: database, HTTP API and ordering of events."""
