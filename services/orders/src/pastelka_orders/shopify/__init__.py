"""Shopify: webhooks, Admin API, import of orders."""
