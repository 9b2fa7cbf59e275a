"""Hot rows on PostgreSQL: one statement for a batch, its rows passed as one array for each column."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    Connection,
    Table,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql

from chatbridge.store.entries import AttemptRow, JournalRow, Written
from chatbridge.store.hot import Hot, Row
from chatbridge.store.schema import attempts, journal, pending


def _unnested(table: Table, names: Sequence[str]) -> Any:
    """Return a SELECT of rows passed as arrays, in the order in which they were given."""
    arrays = [bindparam(name, type_=ARRAY(table.c[name].type)) for name in names]
    rows = func.unnest(*arrays).table_valued(*names, with_ordinality="place").render_derived()
    return select(*(rows.c[name] for name in names)).order_by(rows.c.place)


def _insert_new(table: Table, names: Sequence[str], *unique: str) -> Any:
    rows = postgresql.insert(table).from_select(list(names), _unnested(table, names))
    return rows.on_conflict_do_nothing(index_elements=unique)


def _accept() -> Any:
    written = (
        _insert_new(journal, JournalRow._fields, "key")
        .returning(
            journal.c.id,
            journal.c.key,
            journal.c.conversation_id,
            journal.c.direction,
            journal.c.received_at,
        )
        .cte("written")
    )
    row = written.c
    lane = row.conversation_id * literal_column("2") + row.direction
    waiting = select(row.id, lane, literal_column("0"), row.received_at, row.received_at)
    queued = insert(pending).from_select(["id", "lane", "attempts", "since", "due_at"], waiting)
    # What the statement itself queues is not seen here: these are entries that were waiting before.
    older = exists().where(pending.c.lane == lane).correlate(written)
    return select(row.id, row.key, older).add_cte(queued.cte("queued"))


def _record() -> Any:
    made = _insert_new(attempts, AttemptRow._fields, "entry_id", "number").cte("made")
    ended = bindparam("ended", type_=ARRAY(pending.c.id.type))
    return (
        delete(pending).where(pending.c.id == func.any(ended)).add_cte(made).returning(pending.c.id)
    )


_ACCEPT: Final = Hot(_accept, *JournalRow._fields)
_RECORD: Final = Hot(_record, *AttemptRow._fields, "ended")


def insert_entries(connection: Connection, rows: Sequence[JournalRow]) -> dict[bytes, Written]:
    """Write and queue the rows whose key is new, in their order; return what was written, by key."""
    return {
        bytes(key): Written(entry_id, behind)
        for entry_id, key, behind in _ACCEPT.fetch(connection, *_columns(rows))
    }


def record(connection: Connection, made: Sequence[AttemptRow], ended: Sequence[int]) -> None:
    """Write attempts, and let the entries that ended leave `pending`."""
    _RECORD.fetch(connection, *_columns(made), list(ended))


def _columns(rows: Sequence[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
