"""Hot rows on SQLite: plain INSERTs and DELETEs for many rows at once.

There is one writer, so the next id is known and no row has to be asked for it.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Connection,
    String,
    Table,
    bindparam,
    column,
    delete,
    exists,
    func,
    literal_column,
    select,
    table,
    update,
    values,
)
from sqlalchemy.dialects.sqlite import insert

from chatbridge.store.entries import AttemptRow, ConversationRow, JournalRow, Naming, Written
from chatbridge.store.hot import Hot, HotRows, Parameters
from chatbridge.store.schema import attempts, conversations, journal, pending

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


def _inserted(into: Table, names: Sequence[str], *unique: str) -> HotRows:
    """Return the statement that inserts rows, as far as their `unique` columns are new."""

    def build(rows: list[Parameters]) -> Any:
        made = insert(into).values([dict(zip(names, row, strict=True)) for row in rows])
        return made.on_conflict_do_nothing(index_elements=unique) if unique else made

    return HotRows(build, len(names))


def _leave(rows: list[Parameters]) -> Any:
    return delete(pending).where(pending.c.id.in_([entry_id for (entry_id,) in rows]))


_WRITE: Final = _inserted(journal, ("id", *JournalRow._fields), "key")
_QUEUE: Final = _inserted(pending, ("id", "lane", "attempts", "since", "due_at"))
_RECORD: Final = _inserted(attempts, AttemptRow._fields, "entry_id", "number")
_LEAVE: Final = HotRows(_leave, 1)

_ROW: Final = conversations.c
_OTHER: Final = conversations.alias()


def _find(name: str, rows: list[Parameters]) -> Any:
    # A join: for `(link_id, name) IN (…)` SQLite reads the whole index.
    given = values(column("link_id", BigInteger), column(name, String), name="given")
    wanted = given.data(rows).cte("wanted").c
    columns = (_ROW[field] for field in ConversationRow.__struct_fields__)
    return select(*columns).where(_ROW.link_id == wanted.link_id, _ROW[name] == wanted[name])


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
_FIND: Final = {name: HotRows(partial(_find, name), 2) for name in _IDS}
_NAMED: Final = _inserted(
    conversations, ("link_id", "external_id", "created_at"), "link_id", "external_id"
)
_BEGUN: Final = _inserted(
    conversations, ("link_id", "amojo_id", "client_ref_id", "created_at"), "link_id", "amojo_id"
)
_BIND: Final = Hot(partial(_name, "amojo_id", "external_id"), "link", "new", "known")
_LEARN: Final = Hot(partial(_name, "external_id", "amojo_id"), "link", "known", "new")


def find_conversations(
    connection: Connection, name: str, pairs: Sequence[tuple[int, str | None]]
) -> list[ConversationRow]:
    """Return the conversations that are known by these links and ids."""
    return [ConversationRow(*row) for row in _FIND[name].read(connection, pairs)]


def insert_named(connection: Connection, pairs: Sequence[tuple[int, str | None]], now: int) -> None:
    """Make those of these conversations that do not exist, known by link and messenger's id."""
    _NAMED.write(connection, [(*pair, now) for pair in pairs])


def insert_begun(
    connection: Connection, begun: Sequence[tuple[int, str | None, str | None]], now: int
) -> None:
    """Make those of these conversations that do not exist, known by link, amoCRM's id and amoCRM's id of the client."""
    _BEGUN.write(connection, [(*row, now) for row in begun])


def bind_conversations(connection: Connection, namings: Sequence[Naming]) -> None:
    """Give conversations that amoCRM began the messenger's id."""
    for naming in namings:
        _BIND.read(connection, naming.link_id, naming.external_id, naming.amojo_id)


def learn_amojo_ids(connection: Connection, namings: Sequence[Naming]) -> None:
    """Give conversations that the messenger began amoCRM's id."""
    for naming in namings:
        _LEARN.read(connection, *naming)


def insert_entries(
    connection: Connection, rows: Sequence[JournalRow], told: Sequence[str] = ()
) -> dict[bytes, Written]:
    """Write and queue the rows whose key is new, in their order; return what was written, by key."""
    del told  # there are no other nodes
    ((newest,),) = _NEWEST.read(connection, journal.name)
    numbered = list(enumerate(rows, newest + 1))
    if _WRITE.write(connection, [(number, *row) for number, row in numbered]) < len(rows):
        written = {number for number, _ in _INSERTED.read(connection, newest)}
        numbered = [(number, row) for number, row in numbered if number in written]
    _QUEUE.write(
        connection,
        [(number, row.lane, 0, row.received_at, row.received_at) for number, row in numbered],
    )
    return {row.key: Written(number, behind=False) for number, row in numbered}


def record(connection: Connection, made: Sequence[AttemptRow], ended: Sequence[int]) -> None:
    """Write attempts, and let the entries that ended leave `pending`."""
    _RECORD.write(connection, made)
    _LEAVE.write(connection, [(entry_id,) for entry_id in ended])
