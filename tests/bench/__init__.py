"""What Pastelka does in a second, and what it costs: measured on the whole system, on real parts."""
