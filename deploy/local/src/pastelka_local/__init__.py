"""The local stack: every part of Pastelka on this machine, without containers."""
