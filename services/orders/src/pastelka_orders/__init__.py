"""The orders service: the database, the HTTP API, and the order in which things happen."""
