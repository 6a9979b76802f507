"""The tables of the database, as SQLAlchemy models."""
