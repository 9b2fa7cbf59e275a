"""What was said in a conversation: found by an index of its own, which is filled behind the hot path.

The journal has no index of conversations: it would cost every message a random page. A walk through the journal fills the table
`conversation_entries`, many entries at once and sorted; what it has not come to is found by reading the journal's end.
"""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, select

from chatbridge.errors import HistoryNotReady
from chatbridge.model import Event, Kind, decode_event
from chatbridge.store import watermarks
from chatbridge.store.dialect import insert_new
from chatbridge.store.passport import Passport, load_passports
from chatbridge.store.schema import conversation_entries, conversations, journal

_WATERMARK: Final = "history"
TAIL: Final = 100_000
"""Entries at the journal's end that are read for a page at most: some ten milliseconds."""
_AFTERTHOUGHTS: Final = (Kind.EDIT, Kind.REACTION)
_SHOWN: Final = (Kind.MESSAGE, *_AFTERTHOUGHTS)

_INDEX: Final = conversation_entries.c


class Talk(NamedTuple):
    """A page of a conversation."""

    messages: list[Passport]
    """Newest first."""
    afterthoughts: list[tuple[bytes, Event]]
    """Edits of them and reactions to them, in the order of acceptance, with their keys."""
    more: bool
    """Whether there are older messages."""


def find_conversations(
    connection: Connection, link_ids: Collection[int], external_id: str
) -> list[int]:
    """Return the conversations of these links that the messenger calls so."""
    row = conversations.c
    query = select(row.id).where(row.link_id.in_(link_ids), row.external_id == external_id)
    return list(connection.scalars(query))


def load_page(
    connection: Connection,
    conversation_id: int,
    *,
    before: int | None,
    limit: int,
    most: int = TAIL,
) -> Talk:
    """Return the newest messages of a conversation, of those that were accepted before an entry.

    Raises:
        HistoryNotReady: the index is more than `most` entries behind the journal.

    """
    done, newest = watermarks.get(connection, _WATERMARK), newest_entry(connection)
    if newest - done > most:
        raise HistoryNotReady
    end = newest + 1 if before is None else before
    tail = _tail(connection, conversation_id, done)
    ids = {entry_id for entry_id, kind, _ in tail if kind == Kind.MESSAGE and entry_id < end}
    ids.update(_indexed(connection, conversation_id, end, limit + 1))
    page = sorted(ids, reverse=True)[: limit + 1]
    messages = load_passports(connection, page[:limit])
    if not messages:
        return Talk([], [], more=False)
    names = {each.message.id for each in messages} | {each.amojo_id or "" for each in messages}
    about = _about(connection, conversation_id, page[-1], names)
    about.update(number for number, kind, name in tail if kind in _AFTERTHOUGHTS and name in names)
    return Talk(messages, _events(connection, about), more=len(page) > limit)


def newest_entry(connection: Connection) -> int:
    """Return the id of the newest entry of the journal, 0 if there is none."""
    return connection.scalar(select(func.max(journal.c.id))) or 0


def index(connection: Connection, until: int, limit: int) -> bool:
    """Index the next stretch of the journal, so many ids at most and none beyond an entry; return whether it goes on."""
    entry, done = journal.c, watermarks.get(connection, _WATERMARK)
    last = min(until, done + limit)
    if last <= done:
        return False
    found = (
        select(entry.conversation_id, entry.id, entry.kind == Kind.MESSAGE)
        .where(entry.id > done, entry.id <= last, entry.kind.in_(_SHOWN))
        .order_by(entry.conversation_id, entry.id)
    )
    statement = insert_new(connection, conversation_entries, "conversation_id", "entry_id")
    connection.execute(statement.from_select([column.name for column in _INDEX], found))
    watermarks.advance(connection, _WATERMARK, last)
    return last < until


def _tail(connection: Connection, conversation_id: int, done: int) -> list[tuple[int, str, str]]:
    entry = journal.c
    query = select(entry.id, entry.kind, entry.message_id).where(
        entry.id > done, entry.conversation_id == conversation_id
    )
    return [(number, kind, name) for number, kind, name in connection.execute(query)]


def _indexed(
    connection: Connection, conversation_id: int, before: int, limit: int
) -> Sequence[int]:
    query = (
        select(_INDEX.entry_id)
        .where(_INDEX.conversation_id == conversation_id, _INDEX.entry_id < before)
        .where(_INDEX.is_message)
        .order_by(_INDEX.entry_id.desc())
        .limit(limit)
    )
    return connection.scalars(query).all()


def _about(
    connection: Connection, conversation_id: int, after: int, names: Collection[str]
) -> set[int]:
    """Return the indexed edits and reactions that are about one of these messages and younger than an entry."""
    query = (
        select(journal.c.id)
        .select_from(conversation_entries)
        .join(journal, journal.c.id == _INDEX.entry_id)
        .where(_INDEX.conversation_id == conversation_id, _INDEX.entry_id > after)
        .where(~_INDEX.is_message, journal.c.message_id.in_(names))
    )
    return set(connection.scalars(query))


def _events(connection: Connection, ids: Collection[int]) -> list[tuple[bytes, Event]]:
    entry = journal.c
    query = select(entry.key, entry.kind, entry.body).where(entry.id.in_(ids)).order_by(entry.id)
    rows = connection.execute(query)
    return [(bytes(key), decode_event(kind, bytes(body))) for key, kind, body in rows]
