"""The tables of the database, as SQLAlchemy models; importing the package loads all of them."""

from pastelka_orders.models import access, books, internal, orders, versions
from pastelka_orders.models.base import Base

__all__ = ["Base", "access", "books", "internal", "orders", "versions"]
