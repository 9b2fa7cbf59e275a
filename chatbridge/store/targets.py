"""Messages that something new is about: a mark, a reaction, an edit."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from chatbridge.model import Direction, Kind
from chatbridge.store.entries import ConversationRow
from chatbridge.store.far_ids import FarName, named
from chatbridge.store.schema import conversations, journal


class Target(NamedTuple):
    """A message in the journal."""

    entry_id: int
    direction: Direction
    message_id: str
    """The messenger's id of a client's message, amoCRM's of an operator's."""
    conversation: ConversationRow
    body: bytes | None = None
    """What it says, where that was read."""


def find_target(
    connection: Connection, keys: Sequence[bytes], name: FarName | None = None
) -> Target | None:
    """Return the message that was accepted under one of these keys or has this name, the oldest of several."""
    query = targets(named(keys, name), journal.c.body).order_by(journal.c.id).limit(1)
    row = connection.execute(query).first()
    return None if row is None else target_of(row)._replace(body=bytes(row.body))


def targets(condition: ColumnElement[bool], *more: Any) -> Select[Any]:
    """Return the query for messages that fulfil a condition, with more columns behind those of a target."""
    row = conversations.c
    return (
        select(
            journal.c.id,
            journal.c.direction,
            journal.c.message_id,
            row.id.label("conversation_id"),
            row.link_id,
            row.external_id,
            row.amojo_id,
            row.client_ref_id,
            *more,
        )
        .select_from(journal)
        .join(conversations, row.id == journal.c.conversation_id)
        .where(condition, journal.c.kind == Kind.MESSAGE)
    )


def target_of(row: Row[Any]) -> Target:
    """Return what a row of such a query says."""
    conversation = ConversationRow(
        row.conversation_id, row.link_id, row.external_id, row.amojo_id, row.client_ref_id
    )
    return Target(row.id, Direction(row.direction), row.message_id, conversation)
