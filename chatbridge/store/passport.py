"""Where a message is: the journal's row, its attempts, and whether it still waits."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, RowMapping, select

from chatbridge.model import Direction, Mark, Message, decode_message
from chatbridge.store.schema import attempts, journal, parked, pending, receipts, recovered_entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to deliver, or one release, as recorded."""

    number: int
    outcome: str
    signed_at: int
    answered_at: int
    recorded_at: int
    code: str | None
    detail: str | None
    far_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """How far an operator's message has come at the messenger."""

    failed_at: int | None
    delivered_at: int | None
    read_at: int | None
    reason: str | None
    text: str | None

    @property
    def mark(self) -> Mark:
        """Return the furthest mark."""
        if self.read_at is not None:
            return Mark.READ
        return Mark.FAILED if self.delivered_at is None else Mark.DELIVERED


@dataclass(frozen=True, slots=True, kw_only=True)
class Passport:
    """A message with all that happened to it."""

    entry_id: int
    direction: Direction
    message: Message
    received_at: int
    stored_at: int
    waiting: bool
    due_at: int | None
    parked: bool
    attempts: tuple[Attempt, ...]
    receipt: Receipt | None = None
    recovered: bool = False
    """It was found in amoCRM's history; its callback had not come."""


def find_passport(connection: Connection, keys: tuple[bytes, ...]) -> Passport | None:
    """Return the passport of the first message that has one of these keys."""
    entry = journal.c
    query = (
        select(
            entry.id,
            entry.direction,
            entry.body,
            entry.received_at,
            entry.stored_at,
            pending.c.due_at,
            parked.c.parked_at,
            receipts.c.rank,
            recovered_entries.c.recovery_id,
            *(receipts.c[name] for name in _RECEIPT),
        )
        .outerjoin(pending, pending.c.id == entry.id)
        .outerjoin(parked, parked.c.id == entry.id)
        .outerjoin(receipts, receipts.c.entry_id == entry.id)
        .outerjoin(recovered_entries, recovered_entries.c.entry_id == entry.id)
        .where(entry.key.in_(keys))
        .order_by(entry.id)
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return None if row is None else _passport(connection, row)


_RECEIPT: Final = tuple(Receipt.__dataclass_fields__)


def _passport(connection: Connection, row: RowMapping) -> Passport:
    marked = row["rank"] is not None
    return Passport(
        entry_id=row["id"],
        direction=Direction(row["direction"]),
        message=decode_message(bytes(row["body"])),
        received_at=row["received_at"],
        stored_at=row["stored_at"],
        waiting=row["due_at"] is not None,
        due_at=row["due_at"],
        parked=row["parked_at"] is not None,
        attempts=_attempts(connection, row["id"]),
        receipt=Receipt(**{name: row[name] for name in _RECEIPT}) if marked else None,
        recovered=row["recovery_id"] is not None,
    )


def _attempts(connection: Connection, entry_id: int) -> tuple[Attempt, ...]:
    names = list(Attempt.__dataclass_fields__)
    query = (
        select(*(attempts.c[name] for name in names))
        .where(attempts.c.entry_id == entry_id)
        .order_by(attempts.c.number)
    )
    return tuple(Attempt(**row) for row in connection.execute(query).mappings())
