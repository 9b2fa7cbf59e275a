"""Where a message is: the journal's row, its attempts, and whether it still waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, select

from chatbridge.ids import delivery_id
from chatbridge.model import Direction, Mark, Message, decode_message
from chatbridge.store.far_ids import FarName, named
from chatbridge.store.feed import find_unfetched
from chatbridge.store.media import MediaRow, find_files
from chatbridge.store.schema import attempts, journal, parked, pending, receipts, recovered_entries


@dataclass(frozen=True, slots=True)
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
    key: bytes
    direction: Direction
    message: Message
    received_at: int
    stored_at: int
    waiting: bool
    """To be delivered, or in a feed to be fetched."""
    due_at: int | None
    parked: bool
    attempts: tuple[Attempt, ...]
    receipt: Receipt | None = None
    file: MediaRow | None = None
    """The copy of its file, if there was one to make."""
    recovered: bool = False
    """It was found in amoCRM's history; its callback had not come."""

    @property
    def far_id(self) -> str | None:
        """Return the far side's id of the message, as it told last."""
        return next((made.far_id for made in reversed(self.attempts) if made.far_id), None)

    @property
    def amojo_id(self) -> str | None:
        """Return amoCRM's id of the message, once it is known."""
        return self.far_id if self.direction is Direction.TO_AMOJO else self.message.id


def find_passport(
    connection: Connection, keys: tuple[bytes, ...], name: FarName | None = None
) -> Passport | None:
    """Return the passport of the first message that has one of these keys, or this name."""
    query = _passports().where(named(keys, name)).order_by(journal.c.id).limit(1)
    return next(iter(_load(connection, query)), None)


def load_passports(connection: Connection, ids: Sequence[int]) -> list[Passport]:
    """Return the passports of these messages, newest first."""
    query = _passports().where(journal.c.id.in_(ids)).order_by(journal.c.id.desc())
    return _load(connection, query)


def _load(connection: Connection, query: Select[Any]) -> list[Passport]:
    rows = connection.execute(query).mappings().all()
    made = _attempts(connection, [row["id"] for row in rows])
    files = find_files(connection, [bytes(row["key"]) for row in rows])
    unfetched = _find_unfetched(connection, rows)
    return [
        _passport(
            row,
            made[row["id"]],
            files.get(bytes(row["key"])),
            waiting=row["due_at"] is not None or row["id"] in unfetched,
        )
        for row in rows
    ]


def _find_unfetched(connection: Connection, rows: Sequence[RowMapping]) -> set[int]:
    """Return those of these entries that went into a feed and were not fetched."""
    names = {
        delivery_id(bytes(row["key"])): row["id"]
        for row in rows
        if row["direction"] == Direction.TO_MESSENGER and row["rank"] is None
    }
    return {names[name] for name in find_unfetched(connection, names)} if names else set()


def _passports() -> Select[Any]:
    entry = journal.c
    return (
        select(
            entry.id,
            entry.key,
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
    )


_RECEIPT: Final = tuple(Receipt.__dataclass_fields__)


def _passport(
    row: RowMapping, made: Sequence[Attempt], file: MediaRow | None, *, waiting: bool
) -> Passport:
    marked = row["rank"] is not None
    return Passport(
        entry_id=row["id"],
        key=bytes(row["key"]),
        direction=Direction(row["direction"]),
        message=decode_message(bytes(row["body"])),
        received_at=row["received_at"],
        stored_at=row["stored_at"],
        waiting=waiting,
        due_at=row["due_at"],
        parked=row["parked_at"] is not None,
        attempts=tuple(made),
        receipt=Receipt(**{name: row[name] for name in _RECEIPT}) if marked else None,
        file=file,
        recovered=row["recovery_id"] is not None,
    )


def _attempts(connection: Connection, ids: Sequence[int]) -> dict[int, list[Attempt]]:
    query = (
        select(attempts.c.entry_id, *(attempts.c[name] for name in Attempt.__dataclass_fields__))
        .where(attempts.c.entry_id.in_(ids))
        .order_by(attempts.c.entry_id, attempts.c.number)
    )
    found: dict[int, list[Attempt]] = {entry_id: [] for entry_id in ids}
    for entry_id, *values in connection.execute(query):
        found[entry_id].append(Attempt(*values))
    return found
