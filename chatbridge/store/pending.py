"""What is still to deliver: load it in order, and record what became of it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, select, update

from chatbridge.model import Direction
from chatbridge.store import conversations
from chatbridge.store.dialect import insert_new
from chatbridge.store.entries import Entry, Outcome, OutcomeKind
from chatbridge.store.schema import attempts, journal, parked, pending
from chatbridge.store.schema import conversations as conversation_table


def _waiting() -> Select[Any]:
    entry, row = journal.c, conversation_table.c
    return (
        select(
            entry.id,
            entry.conversation_id,
            row.external_id,
            row.amojo_id,
            row.link_id,
            entry.direction,
            entry.kind,
            entry.key,
            entry.message_id,
            entry.body,
            entry.received_at,
            pending.c.attempts,
            pending.c.since,
            pending.c.due_at,
        )
        .select_from(pending)
        .join(journal, journal.c.id == pending.c.id)
        .join(conversation_table, row.id == entry.conversation_id)
        .order_by(pending.c.id)
    )


def load_after(connection: Connection, entry_id: int, limit: int) -> list[Entry]:
    """Return what is still to deliver beyond an entry, oldest first. Its cost does not grow with the backlog."""
    # The bound is said for both tables: PostgreSQL does not carry it over the join by itself.
    query = _waiting().where(pending.c.id > entry_id, journal.c.id > entry_id).limit(limit)
    return _entries(connection, query)


def load_lane(connection: Connection, lane: int, until: int, limit: int) -> list[Entry]:
    """Return the first entries of a lane that are still to deliver, up to and including `until`."""
    query = _waiting().where(pending.c.lane == lane, pending.c.id <= until).limit(limit)
    return _entries(connection, query)


def load_entries(connection: Connection, ids: Sequence[int]) -> list[Entry]:
    """Return these entries as far as they are still to deliver, oldest first."""
    return _entries(connection, _waiting().where(pending.c.id.in_(ids)))


def _entries(connection: Connection, query: Select[Any]) -> list[Entry]:
    return [
        Entry(
            **{
                **row,
                "direction": Direction(row["direction"]),
                "key": bytes(row["key"]),
                "body": bytes(row["body"]),
            }
        )
        for row in connection.execute(query).mappings()
    ]


def settle(connection: Connection, outcomes: Sequence[Outcome], now: int) -> None:
    """Record the ends of attempts: delivered and parked entries leave `pending`, the others get their next time."""
    connection.execute(
        insert_new(connection, attempts, "entry_id", "number"),
        [_attempt(outcome, now) for outcome in outcomes],
    )
    retried = [outcome for outcome in outcomes if outcome.kind is OutcomeKind.RETRY]
    ended = [outcome for outcome in outcomes if outcome.kind is not OutcomeKind.RETRY]
    if retried:
        connection.execute(
            update(pending)
            .where(pending.c.id == bindparam("entry_id"))
            .values(attempts=bindparam("made"), due_at=bindparam("due")),
            [
                {"entry_id": o.entry.id, "made": o.entry.attempts + 1, "due": o.due_at}
                for o in retried
            ],
        )
    if ended:
        _leave(connection, ended, now)


def _leave(connection: Connection, ended: list[Outcome], now: int) -> None:
    connection.execute(
        delete(pending).where(pending.c.id == bindparam("entry_id")),
        [{"entry_id": outcome.entry.id} for outcome in ended],
    )
    given_up = [outcome for outcome in ended if outcome.kind is OutcomeKind.PARKED]
    if given_up:
        connection.execute(
            insert_new(connection, parked, "id"), [_parked(outcome, now) for outcome in given_up]
        )
    for outcome in ended:
        if outcome.far_conversation_id and outcome.entry.amojo_id is None:
            conversations.learn_amojo_id(
                connection, outcome.entry.conversation_id, outcome.far_conversation_id
            )


def _attempt(outcome: Outcome, now: int) -> dict[str, object]:
    return {
        "entry_id": outcome.entry.id,
        "number": outcome.entry.attempts + 1,
        "outcome": outcome.kind,
        "signed_at": outcome.signed_at,
        "answered_at": outcome.answered_at,
        "recorded_at": now,
        "code": outcome.code,
        "detail": outcome.detail,
        "far_id": outcome.far_id,
    }


def _parked(outcome: Outcome, now: int) -> dict[str, object]:
    return {
        "id": outcome.entry.id,
        "lane": outcome.entry.lane,
        "link_id": outcome.entry.link_id,
        "attempts": outcome.entry.attempts + 1,
        "code": outcome.code or "unknown",
        "detail": outcome.detail or "",
        "parked_at": now,
    }
