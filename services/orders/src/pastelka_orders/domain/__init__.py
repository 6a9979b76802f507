"""The business rules: pure functions of plain values, without database, network or clock."""
