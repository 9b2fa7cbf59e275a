"""The few statements that SQLite and PostgreSQL spell differently."""

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_new(connection: Connection, table: Table, *unique: str) -> Any:
    """Return an INSERT that skips rows whose `unique` columns exist already.

    With `.returning()` it gives back only the rows it inserted.
    """
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing(index_elements=unique)
    return sqlite.insert(table).on_conflict_do_nothing(index_elements=unique)
