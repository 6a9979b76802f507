"""Executes the repository's statements: plain SQL with named parameters (``:name``)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection


async def execute(
    connection: AsyncConnection, statement: str, values: Mapping[str, Any] | None = None
) -> CursorResult[*tuple[Any, ...]]:
    """Execute a statement; PostgreSQL infers the types of parameters without a cast."""
    return await connection.execute(_parsed(statement), values)


@lru_cache(maxsize=1000)
def _parsed(statement: str) -> TextClause:
    return text(statement)
