"""Hot rows on SQLite: plain INSERTs and DELETEs, run for many rows at once by the driver.

There is one writer, so the next id is known and no row has to be asked for it.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import (
    Connection,
    bindparam,
    column,
    delete,
    exists,
    func,
    literal_column,
    select,
    table,
    update,
)
from sqlalchemy.dialects.sqlite import insert

from chatbridge.store.entries import AttemptRow, ConversationRow, JournalRow, Naming, Written
from chatbridge.store.hot import Hot
from chatbridge.store.schema import attempts, conversations, journal, pending

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

_ROW: Final = conversations.c
_OTHER: Final = conversations.alias()


def _find(name: str) -> Any:
    columns = (_ROW[field] for field in ConversationRow.__struct_fields__)
    return select(*columns).where(
        _ROW.link_id == bindparam("link_id"), _ROW[name] == bindparam(name)
    )


def _make(name: str) -> Any:
    row: dict[str, Any] = {column: bindparam(column) for column in ("link_id", name, "created_at")}
    made = insert(conversations).values(row)
    return made.on_conflict_do_nothing(index_elements=["link_id", name])


def _name(known: str, new: str) -> Any:
    """Return the statement that gives the conversation with one id the other, if neither has another partner."""
    taken = exists().where(_OTHER.c.link_id == bindparam("link"), _OTHER.c[new] == bindparam("new"))
    return (
        update(conversations)
        .where(_ROW.link_id == bindparam("link"), _ROW[known] == bindparam("known"))
        .where(_ROW[new].is_(None), ~taken)
        .values({new: bindparam("new")})
    )


_IDS: Final = ("external_id", "amojo_id")
_FIND: Final = {name: Hot(partial(_find, name), "link_id", name) for name in _IDS}
_MAKE: Final = {name: Hot(partial(_make, name), "link_id", name, "created_at") for name in _IDS}
_BIND: Final = Hot(partial(_name, "amojo_id", "external_id"), "link", "new", "known")
_LEARN: Final = Hot(partial(_name, "external_id", "amojo_id"), "link", "known", "new")


def find_conversations(
    connection: Connection, name: str, pairs: Sequence[tuple[int, str | None]]
) -> list[ConversationRow]:
    """Return the conversations that are known by these links and ids."""
    found = (_FIND[name].read(connection, *pair) for pair in pairs)
    return [ConversationRow(*row) for rows in found for row in rows]


def insert_conversations(
    connection: Connection, name: str, pairs: Sequence[tuple[int, str | None]], now: int
) -> None:
    """Make those of these conversations that do not exist."""
    _MAKE[name].run_many(connection, [(*pair, now) for pair in pairs])


def bind_conversations(connection: Connection, namings: Sequence[Naming]) -> None:
    """Give conversations that amoCRM began the messenger's id."""
    _BIND.run_many(connection, namings)


def learn_amojo_ids(connection: Connection, namings: Sequence[Naming]) -> None:
    """Give conversations that the messenger began amoCRM's id."""
    _LEARN.run_many(connection, namings)


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
