"""Every query of the service. Each returns what its caller needs in a bounded number of statements."""
