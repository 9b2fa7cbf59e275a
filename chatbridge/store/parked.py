"""Entries that could not be delivered: seen, and released again in order."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from chatbridge.model import Direction
from chatbridge.store.dialect import Topic, notify_lanes
from chatbridge.store.entries import Entry, OutcomeKind
from chatbridge.store.pending import load_entries
from chatbridge.store.schema import attempts, conversations, journal, links, parked, pending

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedEntry:
    """An entry that was given up, with the reason."""

    id: int
    scope_id: str
    conversation_id: str | None
    message_id: str
    direction: int
    kind: str
    code: str
    detail: str
    attempts: int
    received_at: int
    parked_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedFilter:
    """Which parked entries are meant; None does not narrow."""

    scope_id: str | None = None
    code: str | None = None
    ids: tuple[int, ...] | None = None
    messenger_id: str | None = None
    link_ids: tuple[int, ...] | None = None
    """Links that whoever asks may see."""
    direction: Direction | None = None
    since: int | None = None
    """When it was given up, at the earliest."""
    until: int | None = None
    """The same, at the latest."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the filter as conditions on `parked` joined with `links`."""
        conditions: dict[str, Callable[[Any], ColumnElement[bool]]] = {
            "scope_id": lambda scope_id: links.c.scope_id == scope_id,
            "code": lambda code: parked.c.code == code,
            "ids": parked.c.id.in_,
            "messenger_id": lambda messenger_id: links.c.messenger_id == messenger_id,
            "link_ids": links.c.id.in_,
            "direction": lambda direction: parked.c.lane % 2 == int(direction),
            "since": lambda since: parked.c.parked_at >= since,
            "until": lambda until: parked.c.parked_at <= until,
        }
        given = ((condition, getattr(self, name)) for name, condition in conditions.items())
        return [condition(value) for condition, value in given if value is not None]


def list_parked(
    connection: Connection, wanted: ParkedFilter, *, after: int, limit: int
) -> list[ParkedEntry]:
    """Return parked entries beyond an entry, oldest first."""
    query = (
        select(
            parked.c.id,
            links.c.scope_id,
            conversations.c.external_id.label("conversation_id"),
            journal.c.message_id,
            journal.c.direction,
            journal.c.kind,
            parked.c.code,
            parked.c.detail,
            parked.c.attempts,
            journal.c.received_at,
            parked.c.parked_at,
        )
        .select_from(parked)
        .join(journal, journal.c.id == parked.c.id)
        .join(conversations, conversations.c.id == journal.c.conversation_id)
        .join(links, links.c.id == parked.c.link_id)
        .where(parked.c.id > after, *wanted.conditions())
        .order_by(parked.c.id)
        .limit(limit)
    )
    return [ParkedEntry(**row) for row in connection.execute(query).mappings()]


def release(
    connection: Connection, wanted: ParkedFilter, *, parked_until: int, limit: int, now: int
) -> list[Entry]:
    """Queue entries parked until then again, oldest first, and return them. Each starts a new schedule now.

    Guarantees: an entry is released once, however often this is asked for at the same time.
    """
    query = (
        select(parked.c.id, parked.c.lane, parked.c.attempts)
        .join(links, links.c.id == parked.c.link_id)
        .where(parked.c.parked_at <= parked_until, *wanted.conditions())
        .order_by(parked.c.id)
        .limit(limit)
        .with_for_update(of=parked)
    )
    rows = connection.execute(query).mappings().all()
    if not rows:
        return []
    ids = [row["id"] for row in rows]
    connection.execute(delete(parked).where(parked.c.id.in_(ids)))
    connection.execute(
        insert(attempts), [_released(row["id"], row["attempts"], now) for row in rows]
    )
    connection.execute(insert(pending), [_queued(row, now) for row in rows])
    notify_lanes(connection, Topic.LANES_AGAIN, (row["lane"] for row in rows))
    return load_entries(connection, ids)


def _released(entry_id: int, made: int, now: int) -> dict[str, Any]:
    return {
        "entry_id": entry_id,
        "number": made + 1,
        "outcome": OutcomeKind.RELEASED,
        "signed_at": now,
        "answered_at": now,
        "recorded_at": now,
    }


def _queued(row: Any, now: int) -> dict[str, Any]:
    return {
        "id": row["id"],
        "lane": row["lane"],
        "attempts": row["attempts"] + 1,
        "since": now,
        "due_at": now,
    }
