"""Who may do what: people with passwords, a proxy that knows them, programs with tokens."""
