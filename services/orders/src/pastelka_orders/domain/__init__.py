"""The rules, without database, network or clock: everything here can be called with plain values."""
