"""Code shared by Pastelka's services: contracts, messaging, storage, settings, telemetry, health."""
