"""Hot rows on PostgreSQL: one statement for a batch, its rows passed as one array for each column."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    Connection,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from chatbridge.store.dialect import Topic
from chatbridge.store.entries import AttemptRow, ConversationRow, JournalRow, Naming, Written
from chatbridge.store.hot import Hot, Row
from chatbridge.store.schema import attempts, conversations, journal, pending

_LANES: Final = literal_column(f"'{Topic.LANES}'", Text)


def _given(table: Table, names: Sequence[str]) -> Any:
    """Return rows passed as arrays, with their place."""
    arrays = [bindparam(name, type_=ARRAY(table.c[name].type)) for name in names]
    return func.unnest(*arrays).table_valued(*names, with_ordinality="place").render_derived()


def _unnested(table: Table, names: Sequence[str]) -> Any:
    """Return a SELECT of rows passed as arrays, in the order in which they were given."""
    rows = _given(table, names)
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
    words = func.unnest(bindparam("told", type_=ARRAY(Text))).column_valued("words")
    said = select(func.count(func.pg_notify(_LANES, words))).scalar_subquery()
    return select(row.id, row.key, older, said).add_cte(queued.cte("queued"))


def _record() -> Any:
    made = _insert_new(attempts, AttemptRow._fields, "entry_id", "number").cte("made")
    ended = bindparam("ended", type_=ARRAY(pending.c.id.type))
    return (
        delete(pending).where(pending.c.id == func.any(ended)).add_cte(made).returning(pending.c.id)
    )


_ROW: Final = conversations.c
_OTHER: Final = conversations.alias()


def _find(name: str) -> Any:
    wanted = _given(conversations, ("link_id", name)).c
    columns = (_ROW[field] for field in ConversationRow.__struct_fields__)
    return select(*columns).where(_ROW.link_id == wanted.link_id, _ROW[name] == wanted[name])


def _name(known: str, new: str) -> Any:
    """Return the statement that gives the conversation with one id the other, if neither has another partner."""
    given = _given(conversations, Naming._fields).c
    taken = exists().where(_OTHER.c.link_id == given.link_id, _OTHER.c[new] == given[new])
    return (
        update(conversations)
        .where(_ROW.link_id == given.link_id, _ROW[known] == given[known])
        .where(_ROW[new].is_(None), ~taken)
        .values({new: given[new]})
        .returning(_ROW.id)
    )


def _make(*names: str) -> Any:
    return _insert_new(conversations, (*names, "created_at"), *names[:2]).returning(_ROW.id)


_NAME_COLUMNS: Final = ("link_id", "external_id")
_BEGUN_COLUMNS: Final = ("link_id", "amojo_id", "client_ref_id")
_IDS: Final = ("external_id", "amojo_id")
_FIND: Final = {name: Hot(partial(_find, name), "link_id", name) for name in _IDS}
_NAMED: Final = Hot(partial(_make, *_NAME_COLUMNS), *_NAME_COLUMNS, "created_at")
_BEGUN: Final = Hot(partial(_make, *_BEGUN_COLUMNS), *_BEGUN_COLUMNS, "created_at")
_BIND: Final = Hot(partial(_name, "amojo_id", "external_id"), *Naming._fields)
_LEARN: Final = Hot(partial(_name, "external_id", "amojo_id"), *Naming._fields)
_ACCEPT: Final = Hot(_accept, *JournalRow._fields, "told")
_RECORD: Final = Hot(_record, *AttemptRow._fields, "ended")


def find_conversations(
    connection: Connection, name: str, pairs: Sequence[tuple[int, str | None]]
) -> list[ConversationRow]:
    """Return the conversations that are known by these links and ids."""
    return [ConversationRow(*row) for row in _FIND[name].read(connection, *_columns(pairs))]


def insert_named(connection: Connection, pairs: Sequence[tuple[int, str | None]], now: int) -> None:
    """Make those of these conversations that do not exist, known by link and messenger's id."""
    if pairs:
        _NAMED.read(connection, *_columns([(*pair, now) for pair in pairs]))


def insert_begun(
    connection: Connection, begun: Sequence[tuple[int, str | None, str | None]], now: int
) -> None:
    """Make those of these conversations that do not exist, known by link, amoCRM's id and amoCRM's id of the client."""
    if begun:
        _BEGUN.read(connection, *_columns([(*row, now) for row in begun]))


def bind_conversations(connection: Connection, namings: Sequence[Naming]) -> None:
    """Give conversations that amoCRM began the messenger's id."""
    _BIND.read(connection, *_columns(namings))


def learn_amojo_ids(connection: Connection, namings: Sequence[Naming]) -> None:
    """Give conversations that the messenger began amoCRM's id."""
    _LEARN.read(connection, *_columns(namings))


def insert_entries(
    connection: Connection, rows: Sequence[JournalRow], told: Sequence[str] = ()
) -> dict[bytes, Written]:
    """Write and queue the rows whose key is new, in their order; return what was written, by key."""
    return {
        bytes(key): Written(entry_id, behind)
        for entry_id, key, behind, _ in _ACCEPT.read(connection, *_columns(rows), list(told))
    }


def record(connection: Connection, made: Sequence[AttemptRow], ended: Sequence[int]) -> None:
    """Write attempts, and let the entries that ended leave `pending`."""
    _RECORD.read(connection, *_columns(made), list(ended))


def _columns(rows: Sequence[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
