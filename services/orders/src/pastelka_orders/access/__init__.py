"""Authentication and authorization: passwords, an authenticating proxy, API tokens."""
