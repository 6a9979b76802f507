"""Programs of the orders service: they translate, handlers decide."""
