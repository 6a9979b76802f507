"""What two Pastelka services must agree on: contracts, messaging, storage, settings, telemetry, health."""
