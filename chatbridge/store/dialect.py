"""The few statements that SQLite and PostgreSQL spell differently."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from chatbridge.store import postgresql_rows, sqlite_rows
from chatbridge.store.entries import AttemptRow, JournalRow


def insert_new(connection: Connection, table: Table, *unique: str) -> Any:
    """Return an INSERT that skips rows whose `unique` columns exist already.

    With `.returning()` it gives back only the rows it inserted.
    """
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing(index_elements=unique)
    return sqlite.insert(table).on_conflict_do_nothing(index_elements=unique)


def insert_entries(connection: Connection, rows: Sequence[JournalRow]) -> dict[bytes, int]:
    """Write and queue the rows whose key is new, in their order; return the id of each new key."""
    if connection.dialect.name == "postgresql":
        return postgresql_rows.insert_entries(connection, rows)
    return sqlite_rows.insert_entries(connection, rows)


def record(connection: Connection, made: Sequence[AttemptRow], ended: Sequence[int]) -> None:
    """Write attempts, and let the entries that ended leave `pending`."""
    if connection.dialect.name == "postgresql":
        postgresql_rows.record(connection, made, ended)
    else:
        sqlite_rows.record(connection, made, ended)
