"""Breaks Pastelka on purpose, at seeded moments, and looks whether everything still ends well."""
