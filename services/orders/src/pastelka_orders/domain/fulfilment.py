"""Whether a photo of the shop's is still to be delivered: the one place for that rule.

The shop cancels a whole order (``orders.cancelled_at``), or removes or refunds a line item, of which
nothing is left then (quantity 0). Neither is worked on, printed or downloaded. What was made stays, and
counts again when the shop takes that back.
"""

IS_WANTED = "(o.cancelled_at IS NULL AND l.quantity > 0)"
"""SQL over ``orders o`` and ``line_items l``."""
