"""Feeds: the events of each messenger, in an order that readers can follow with a cursor.

Positions grow without gaps in the order of commits, as whoever appends holds the messenger's row of `feeds` until then. So a reader
that has seen a position never finds a smaller one later.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, tuple_, update

from chatbridge.model import FeedEvent
from chatbridge.store.dialect import Topic, insert_new, notify
from chatbridge.store.hot import one_statement
from chatbridge.store.schema import feed_events, feeds


class Appending(NamedTuple):
    """An event for a feed."""

    messenger_id: str
    topic: str
    key: str
    """A messenger's feed takes each once."""
    body: bytes


class Ends(NamedTuple):
    """What a feed keeps."""

    first: int
    """Its oldest event; the next one, if it keeps none."""
    last: int
    """The newest that it ever had, 0 if none."""


_PLACE: Final = tuple_(feed_events.c.messenger_id, feed_events.c.position)
_EVENT: Final = tuple(feed_events.c[name] for name in FeedEvent.__struct_fields__)


def append(
    connection: Connection, events: Sequence[Appending], now: int, told: Collection[str] = ()
) -> list[int]:
    """Append events in their order and return their positions; a key that is there keeps its own. Other nodes hear the words `told`."""
    last = _lock(connection, sorted({event.messenger_id for event in events}))
    known = _find(connection, events)
    positions, rows = [], []
    for event in events:
        place = event.messenger_id, event.key
        if place not in known:
            known[place] = last[event.messenger_id] = last[event.messenger_id] + 1
            rows.append(event._asdict() | {"position": known[place], "created_at": now})
        positions.append(known[place])
    if rows:
        connection.execute(insert(feed_events), rows)
        grown = update(feeds).where(feeds.c.messenger_id == bindparam("of"))
        connection.execute(
            grown.values(last=bindparam("to")),
            [{"of": of, "to": to} for of, to in last.items()],
        )
        for words in told:
            notify(connection, Topic.FEEDS, words)
    return positions


def _lock(connection: Connection, messenger_ids: Sequence[str]) -> dict[str, int]:
    """Let nobody else append to these feeds; return their newest positions. One order for all, so that none waits in a circle."""
    rows = [{"messenger_id": of, "last": 0, "fetched": 0} for of in messenger_ids]
    connection.execute(insert_new(connection, feeds, "messenger_id").values(rows))
    query = select(feeds.c.messenger_id, feeds.c.last).where(
        feeds.c.messenger_id.in_(messenger_ids)
    )
    held = connection.execute(query.order_by(feeds.c.messenger_id).with_for_update())
    return {row.messenger_id: row.last for row in held}


def _find(connection: Connection, events: Sequence[Appending]) -> dict[tuple[str, str], int]:
    query = select(feed_events.c.messenger_id, feed_events.c.key, feed_events.c.position)
    query = query.where(feed_events.c.key.in_({event.key for event in events}))
    return {(row.messenger_id, row.key): row.position for row in connection.execute(query)}


@one_statement
def read_after(
    connection: Connection, messenger_id: str, position: int, limit: int, topic: str | None = None
) -> list[FeedEvent]:
    """Return what follows a position, of one topic if it is named."""
    row = feed_events.c
    query = select(*_EVENT).where(row.messenger_id == messenger_id, row.position > position)
    if topic is not None:
        query = query.where(row.topic == topic)
    return _read(connection, query.order_by(row.position).limit(limit))


@one_statement
def read_before(
    connection: Connection, messenger_id: str, position: int, limit: int, topic: str
) -> list[FeedEvent]:
    """Return what comes before a position in a topic, the nearest so many, oldest first."""
    row = feed_events.c
    query = select(*_EVENT).where(
        row.messenger_id == messenger_id, row.topic == topic, row.position < position
    )
    return _read(connection, query.order_by(row.position.desc()).limit(limit))[::-1]


@one_statement
def ends_of(connection: Connection, messenger_id: str) -> Ends:
    """Return what a feed keeps."""
    row = feed_events.c
    first = select(func.min(row.position)).where(row.messenger_id == messenger_id)
    query = select(first.scalar_subquery(), feeds.c.last)
    found = connection.execute(query.where(feeds.c.messenger_id == messenger_id)).first()
    if found is None:
        return Ends(1, 0)
    oldest, last = found
    return Ends(last + 1 if oldest is None else oldest, last)


def note_fetched(connection: Connection, positions: Mapping[str, int]) -> list[str]:
    """Take note that messengers have got the events of their feeds up to a position; return the keys of which that is news."""
    keys: list[str] = []
    for messenger_id in sorted(positions):
        mine, position = feeds.c.messenger_id == messenger_id, positions[messenger_id]
        before = connection.scalar(select(feeds.c.fetched).where(mine).with_for_update())
        if before is None or before >= position:
            continue
        connection.execute(update(feeds).where(mine).values(fetched=position))
        row = feed_events.c
        query = select(row.key).where(row.messenger_id == messenger_id)
        keys += connection.scalars(query.where(row.position > before, row.position <= position))
    return keys


@one_statement
def find_unfetched(connection: Connection, keys: Collection[str]) -> set[str]:
    """Return the keys of those events, of any messenger, that wait to be fetched."""
    row = feed_events.c
    query = select(row.key).join(feeds, feeds.c.messenger_id == row.messenger_id)
    query = query.where(row.key.in_(keys), row.position > feeds.c.fetched)
    return set(connection.scalars(query))


@one_statement
def prune(connection: Connection, before: int, limit: int) -> int:
    """Remove events that were appended before then, so many at most, the oldest first; return how many."""
    old = select(*_PLACE).where(feed_events.c.created_at < before)
    old = old.order_by(feed_events.c.created_at).limit(limit)
    return connection.execute(delete(feed_events).where(_PLACE.in_(old))).rowcount


def _read(connection: Connection, query: Select[Any]) -> list[FeedEvent]:
    return [
        FeedEvent(position=position, topic=topic, body=bytes(body), created_at=created_at)
        for position, topic, body, created_at in connection.execute(query)
    ]
