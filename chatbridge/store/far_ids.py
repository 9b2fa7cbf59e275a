"""What messengers call operators' messages, where they give them ids of their own."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, or_, select

from chatbridge.store.dialect import insert_new
from chatbridge.store.entries import Outcome
from chatbridge.store.schema import far_ids, journal, links


class FarName(NamedTuple):
    """A message as a messenger calls it."""

    messenger_id: str
    far_id: str


def note(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    """Remember what the messengers of these entries' links call them. What is another entry's name already stays that."""
    messenger = select(links.c.messenger_id).where(links.c.id == bindparam("link_id"))
    statement = insert_new(connection, far_ids, "messenger_id", "far_id").values(
        messenger_id=messenger.scalar_subquery()
    )
    rows = [
        {
            "link_id": outcome.entry.link_id,
            "far_id": far_id,
            "entry_id": outcome.entry.id,
            "place": n,
        }
        for outcome in outcomes
        for n, far_id in enumerate(outcome.names)
    ]
    # One order for all writers, so that none waits in a circle.
    connection.execute(statement, sorted(rows, key=lambda row: (row["link_id"], row["far_id"])))


def find(connection: Connection, key: bytes) -> str | None:
    """Return what its messenger calls the message that was accepted under this key; of several names the first."""
    row = far_ids.c
    query = select(row.far_id).join(journal, journal.c.id == row.entry_id)
    found: str | None = connection.scalar(
        query.where(journal.c.key == key).order_by(row.place).limit(1)
    )
    return found


def named(keys: Sequence[bytes], name: FarName | None) -> ColumnElement[bool]:
    """Return the condition for entries that were accepted under one of these keys, or that a messenger calls so."""
    kept = journal.c.key.in_(keys)
    if name is None:
        return kept
    row = far_ids.c
    called = select(row.entry_id).where(
        row.messenger_id == name.messenger_id, row.far_id == name.far_id
    )
    return or_(kept, journal.c.id == called.scalar_subquery())
