"""What became of operators' messages at the messenger: it only moves forward, whoever reports it and in whatever order."""

from collections.abc import Collection, Sequence
from itertools import takewhile
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, select

from chatbridge.model import Direction, Kind, Mark
from chatbridge.store import watermarks
from chatbridge.store.dialect import insert_into
from chatbridge.store.entries import ReceiptRow
from chatbridge.store.schema import journal, parked, pending, receipts
from chatbridge.store.targets import Target, target_of, targets

_WATERMARK: Final = "receipts"


class Unmarked(NamedTuple):
    """An operator's message of which nobody has said what became of it."""

    target: Target
    key: bytes
    """Under which it was accepted."""
    code: str | None
    """Why it was given up; None if it was delivered."""
    detail: str | None


def advance(connection: Connection, rows: Sequence[ReceiptRow]) -> set[ReceiptRow]:
    """Write these marks as far as they are news, of several for one entry the furthest; return what was written."""
    furthest: dict[int, ReceiptRow] = {}
    for row in rows:
        known = furthest.get(row.entry_id)
        if known is None or known.mark.rank < row.mark.rank:
            furthest[row.entry_id] = row
    statement = insert_into(connection, receipts)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["entry_id"],
        set_={
            "rank": new.rank,
            "reason": new.reason,
            "text": new.text,
            **{name: func.coalesce(receipts.c[name], new[name]) for name in _TIMES.values()},
        },
        where=receipts.c.rank < new.rank,
    ).returning(receipts.c.entry_id)
    # One order for all writers, so that none waits in a circle.
    return {
        furthest[entry_id]
        for number in sorted(furthest)
        for (entry_id,) in connection.execute(statement, _values(furthest[number]))
    }


_TIMES: Final = {Mark.FAILED: "failed_at", Mark.DELIVERED: "delivered_at", Mark.READ: "read_at"}


def _values(row: ReceiptRow) -> dict[str, object]:
    at = dict.fromkeys(_TIMES.values()) | {_TIMES[row.mark]: row.at}
    told = {"reason": row.reason, "text": row.text}
    return {"entry_id": row.entry_id, "rank": row.mark.rank, **at, **told}


def list_unmarked(connection: Connection, ids: Collection[int]) -> list[Unmarked]:
    """Return those of these entries that are operators' messages, have no mark, and are delivered or given up."""
    query = (
        targets(journal.c.id.in_(ids), journal.c.key, parked.c.code, parked.c.detail)
        .outerjoin(pending, pending.c.id == journal.c.id)
        .outerjoin(parked, parked.c.id == journal.c.id)
        .outerjoin(receipts, receipts.c.entry_id == journal.c.id)
        .where(pending.c.id.is_(None), receipts.c.entry_id.is_(None))
        .where(journal.c.direction == int(Direction.TO_MESSENGER))
        .order_by(journal.c.id)
    )
    return [
        Unmarked(target_of(row), bytes(row.key), row.code, row.detail)
        for row in connection.execute(query)
    ]


class Standing(NamedTuple):
    """How far an operator's message has come."""

    target: Target
    rank: int | None
    """model.Mark.rank of its mark; None if it has none."""
    reason: str | None
    """Of a failure."""


def list_standing(connection: Connection, keys: Collection[bytes]) -> list[Standing]:
    """Return how far those of these entries have come that are messages."""
    query = targets(journal.c.key.in_(keys), receipts.c.rank, receipts.c.reason)
    rows = connection.execute(query.outerjoin(receipts, receipts.c.entry_id == journal.c.id))
    return [Standing(target_of(row), row.rank, row.reason) for row in rows]


class Page(NamedTuple):
    """A stretch of the journal."""

    replies: list[int]
    """Operators' messages in it."""
    last: int | None
    """Where it ends; None if it is empty."""
    size: int


def next_page(connection: Connection, *, until: int, limit: int) -> Page:
    """Return the stretch of the journal after the watermark that was received until then, so many entries at most."""
    entry, after = journal.c, watermarks.get(connection, _WATERMARK)
    rows = connection.execute(
        select(entry.id, entry.received_at, entry.direction, entry.kind)
        .where(entry.id > after)
        .order_by(entry.id)
        .limit(limit)
    )
    old = list(takewhile(lambda row: row.received_at <= until, rows))
    replies = [
        row.id
        for row in old
        if row.direction == Direction.TO_MESSENGER and row.kind == Kind.MESSAGE
    ]
    return Page(replies, old[-1].id if old else None, len(old))


def turn_page(connection: Connection, last: int) -> None:
    """Put the watermark at the end of a stretch."""
    watermarks.advance(connection, _WATERMARK, last)
