"""``python -m pastelka_orders``: what an operator does by hand."""

import sys

from pastelka_orders.commands import main

if __name__ == "__main__":
    sys.exit(main())
