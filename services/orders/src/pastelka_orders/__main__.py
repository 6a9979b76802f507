"""``python -m pastelka_orders``: the operator's command line."""

import sys

from pastelka_orders.commands import main

if __name__ == "__main__":
    sys.exit(main())
