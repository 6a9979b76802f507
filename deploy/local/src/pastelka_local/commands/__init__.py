"""The commands of ``pastelka`` that work on orders, photos and the service's own administration."""
