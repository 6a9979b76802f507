"""Steps that several revisions share: foreign keys of unknown name, paths below the storage root."""

from collections.abc import Mapping
from pathlib import PurePosixPath

import sqlalchemy as sa
from alembic import op

DEFAULT_STORAGE_PATH = "/data/images"


def drop_foreign_keys(table: str, *, to: str | None = None) -> None:
    """Drop the foreign keys of ``table`` (only those to table ``to``, if given), whatever their names.

    A database created from the old models instead of the old revisions has the same keys under other names.
    """
    for key in sa.inspect(op.get_bind()).get_foreign_keys(table):
        if to is None or key["referred_table"] == to:
            op.drop_constraint(str(key["name"]), table, type_="foreignkey")


def make_paths_relative(table: str, column: str) -> None:
    """Make every path relative to the storage root; an empty path becomes null."""
    _rewrite(
        f"""
        UPDATE {table} SET {column} = NULLIF(ltrim(CASE
            WHEN starts_with({column}, :root) THEN substr({column}, length(:root) + 1)
            WHEN starts_with({column}, :default_root) THEN substr({column}, length(:default_root) + 1)
            ELSE {column} END, '/'), '')
        WHERE {column} IS NOT NULL
        """  # noqa: S608 - the names are literals of a revision
    )


def make_paths_absolute(table: str, column: str) -> None:
    """Prefix every path with the storage root."""
    _rewrite(f"UPDATE {table} SET {column} = :root || {column} WHERE {column} IS NOT NULL")  # noqa: S608


def set_storage(table: str, parameters: Mapping[str, object]) -> None:
    """Set storage parameters (fill factor, vacuum) of ``table``."""
    values = ", ".join(f"{name} = {value}" for name, value in parameters.items())
    op.execute(f"ALTER TABLE {table} SET ({values})")


def _rewrite(statement: str) -> None:
    roots = {"root": _storage_root(), "default_root": _as_prefix(DEFAULT_STORAGE_PATH)}
    clause = sa.text(statement)
    known = {name: value for name, value in roots.items() if f":{name}" in statement}
    op.execute(clause.bindparams(*(sa.bindparam(name, value, sa.Text) for name, value in known.items())))


def _storage_root() -> str:
    config = op.get_context().config
    path = None if config is None else config.attributes.get("storage_path")
    return _as_prefix(path or DEFAULT_STORAGE_PATH)


def _as_prefix(path: str) -> str:
    return f"{PurePosixPath(path)}/"
