"""All SQL of the service. Each function runs a bounded number of statements."""
