"""The shop: webhooks in, the Admin API asked, orders of the shop kept as ours."""
