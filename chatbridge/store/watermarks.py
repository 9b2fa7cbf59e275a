"""How far each of those who walk through the journal has come."""

from sqlalchemy import Connection, select

from chatbridge.store.dialect import insert_into
from chatbridge.store.schema import watermarks


def get(connection: Connection, name: str) -> int:
    """Return the last entry that a walk has seen, 0 before its first."""
    query = select(watermarks.c.entry_id).where(watermarks.c.name == name)
    return connection.scalar(query) or 0


def advance(connection: Connection, name: str, last: int) -> None:
    """Put a walk's watermark at an entry; it never goes back."""
    statement = insert_into(connection, watermarks).values(name=name, entry_id=last)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"entry_id": statement.excluded.entry_id},
            where=watermarks.c.entry_id < statement.excluded.entry_id,
        )
    )
