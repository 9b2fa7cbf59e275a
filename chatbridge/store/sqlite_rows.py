"""Hot rows on SQLite: plain INSERTs and DELETEs, run for many rows at once by the driver.

There is one writer, so the next id is known and no row has to be asked for it.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, column, delete, func, literal_column, select, table
from sqlalchemy.dialects.sqlite import insert

from chatbridge.store.entries import AttemptRow, JournalRow, Written
from chatbridge.store.hot import Hot
from chatbridge.store.schema import attempts, journal, pending

_QUEUED: Final = ("id", "lane", "attempts", "since", "due_at")

_NUMBERS: Final = table("sqlite_sequence", column("name"), column("seq"))
"""SQLite's own memory of the numbers that AUTOINCREMENT gave; it outlives the rows."""

_NEWEST: Final = Hot(
    lambda: select(func.coalesce(func.max(_NUMBERS.c.seq), literal_column("0"))).where(
        _NUMBERS.c.name == bindparam("name")
    ),
    "name",
)
_INSERTED: Final = Hot(
    lambda: select(journal.c.id, journal.c.key).where(journal.c.id > bindparam("after")), "after"
)
_WRITE: Final = Hot(
    lambda: (
        insert(journal).values({name: bindparam(name) for name in ("id", *JournalRow._fields)})
    ).on_conflict_do_nothing(index_elements=["key"]),
    "id",
    *JournalRow._fields,
)
_QUEUE: Final = Hot(
    lambda: insert(pending).values({name: bindparam(name) for name in _QUEUED}), *_QUEUED
)
_RECORD: Final = Hot(
    lambda: (
        insert(attempts)
        .values({name: bindparam(name) for name in AttemptRow._fields})
        .on_conflict_do_nothing(index_elements=["entry_id", "number"])
    ),
    *AttemptRow._fields,
)
_LEAVE: Final = Hot(
    lambda: delete(pending).where(pending.c.id == bindparam("entry_id")), "entry_id"
)


def insert_entries(connection: Connection, rows: Sequence[JournalRow]) -> dict[bytes, Written]:
    """Write and queue the rows whose key is new, in their order; return what was written, by key."""
    ((newest,),) = _NEWEST.read(connection, journal.name)
    numbered = list(enumerate(rows, newest + 1))
    if _WRITE.run_many(connection, [(number, *row) for number, row in numbered]) < len(rows):
        written = {number for number, _ in _INSERTED.read(connection, newest)}
        numbered = [(number, row) for number, row in numbered if number in written]
    _QUEUE.run_many(
        connection,
        [(number, row.lane, 0, row.received_at, row.received_at) for number, row in numbered],
    )
    return {row.key: Written(number, behind=False) for number, row in numbered}


def record(connection: Connection, made: Sequence[AttemptRow], ended: Sequence[int]) -> None:
    """Write attempts, and let the entries that ended leave `pending`."""
    _RECORD.run_many(connection, made)
    _LEAVE.run_many(connection, [(entry_id,) for entry_id in ended])
