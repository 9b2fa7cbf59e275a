"""Imports of history: what messengers upload is kept here, line by line, until it goes into the journal.

An import is received, then it runs (`import_lines`), then it is done. Whoever changes lines of an import locks its row first, so
that its counts are always those of its lines.
"""

from collections.abc import Sequence
from enum import IntEnum, StrEnum
from typing import Any, Final, NamedTuple

from msgspec import Struct
from sqlalchemy import Connection, insert, select, update

from chatbridge.errors import IdReused, ImportClosed
from chatbridge.ids import fingerprint
from chatbridge.store.dialect import insert_new
from chatbridge.store.schema import import_lines, imports


class ImportState(StrEnum):
    """Where an import stands. The words are stored."""

    RECEIVING = "receiving"
    """Its upload is not complete."""
    RUNNING = "running"
    """Its lines go into the journal, and are delivered."""
    DONE = "done"
    CANCELLED = "cancelled"
    """What was not in the journal yet is dropped; the rest is delivered."""


class LineState(IntEnum):
    """Where a line stands. The numbers are stored; a line that has come to its end is deleted, unless it is bad."""

    WAITING = 0
    CLAIMED = 1
    """It goes next, and may be in the journal already."""
    TAKEN = 2
    """It is in the journal, and not delivered yet as far as is known."""
    BAD = 3


class Import(Struct, frozen=True, kw_only=True):
    """An import with its counts. Times are microseconds."""

    id: int
    messenger_id: str
    name: str
    state: ImportState
    lines: int
    bad: int
    repeated: int
    imported: int
    delivered: int
    failed: int
    cancelled: int
    started_at: int
    uploaded_at: int | None
    ended_at: int | None

    @property
    def left(self) -> int:
        """Return how many lines are neither in the journal nor settled otherwise."""
        return self.lines - self.bad - self.repeated - self.imported - self.cancelled


class GoodLine(NamedTuple):
    """A message as uploaded."""

    number: int
    key: bytes
    digest: bytes
    link_id: int
    conversation_id: str
    sent_at: int
    scope_id: str | None
    body: bytes


class BadLine(NamedTuple):
    """A line that is no message, or one that cannot be imported."""

    number: int
    code: str
    reason: str
    said: bytes = b""
    """The line, or what stands for it: the same line sent again is the same bad line."""


_COUNTS: Final = ("lines", "bad", "repeated", "imported", "delivered", "failed", "cancelled")


def begin(connection: Connection, messenger_id: str, name: str, now: int) -> Import:
    """Return a messenger's import of this name, made if there is none, to receive lines.

    Raises:
        ImportClosed: its upload is complete, or it is cancelled.

    """
    values = {"messenger_id": messenger_id, "name": name, "state": ImportState.RECEIVING}
    fresh = values | {"started_at": now} | dict.fromkeys(_COUNTS, 0)
    connection.execute(insert_new(connection, imports, "messenger_id", "name").values(fresh))
    found = find(connection, messenger_id, name)
    if found is None or found.state is not ImportState.RECEIVING:
        raise ImportClosed
    return found


def find(connection: Connection, messenger_id: str, name: str) -> Import | None:
    """Return a messenger's import by its name."""
    query = select(imports).where(imports.c.messenger_id == messenger_id, imports.c.name == name)
    row = connection.execute(query).mappings().first()
    return None if row is None else _import(row)


def list_imports(
    connection: Connection, messenger_id: str, *, after: int, limit: int
) -> list[Import]:
    """Return a messenger's imports beyond one, oldest first."""
    query = (
        select(imports)
        .where(imports.c.messenger_id == messenger_id, imports.c.id > after)
        .order_by(imports.c.id)
        .limit(limit)
    )
    return [_import(row) for row in connection.execute(query).mappings()]


def list_bad(connection: Connection, import_id: int, limit: int) -> list[BadLine]:
    """Return the bad lines that were found first."""
    line = import_lines.c
    query = (
        select(line.number, line.code, line.reason)
        .where(line.import_id == import_id, line.state == LineState.BAD)
        .order_by(line.id)
        .limit(limit)
    )
    return [BadLine(*row) for row in connection.execute(query)]


def stage(
    connection: Connection, import_id: int, good: Sequence[GoodLine], bad: Sequence[BadLine]
) -> None:
    """Keep lines of an upload. What is there already is known by its message id, whichever line brings it again.

    Raises:
        ImportClosed: its upload was completed meanwhile, or it was cancelled.

    """
    if lock(connection, import_id).state is not ImportState.RECEIVING:
        raise ImportClosed
    known = _digests(connection, import_id, [line.key for line in good])
    rows, refused = [], list(bad)
    for line in good:
        if line.key not in known:
            known[line.key] = line.digest
            rows.append(_EMPTY | {"import_id": import_id} | line._asdict())
        elif known[line.key] != line.digest:
            reason = "Another line of this import has the same message id and another body."
            refused.append(BadLine(line.number, IdReused.code, reason, line.digest))
    fresh = {_key_of(line): line for line in refused}
    for key in _digests(connection, import_id, list(fresh)):
        del fresh[key]
    rows += [_bad_row(import_id, key, line) for key, line in fresh.items()]
    if rows:
        connection.execute(insert(import_lines), rows)
        count(connection, import_id, lines=len(rows), bad=len(fresh))


def complete(connection: Connection, import_id: int, now: int) -> Import:
    """Let an import run whose upload has come to its end.

    Raises:
        ImportClosed: that was done already, or it was cancelled.

    """
    if lock(connection, import_id).state is not ImportState.RECEIVING:
        raise ImportClosed
    change(connection, import_id, state=ImportState.RUNNING, uploaded_at=now)
    return load(connection, import_id)


def cancel(connection: Connection, messenger_id: str, name: str) -> bool:
    """Stop an import that is not done; return whether there is one of this name."""
    found = find(connection, messenger_id, name)
    if found is None:
        return False
    if lock(connection, found.id).state is not ImportState.DONE:
        change(connection, found.id, state=ImportState.CANCELLED)
    return True


def list_running(connection: Connection) -> list[Import]:
    """Return the imports that have something to do, oldest first."""
    query = select(imports).where(
        imports.c.ended_at.is_(None), imports.c.state != ImportState.RECEIVING
    )
    return [_import(row) for row in connection.execute(query.order_by(imports.c.id)).mappings()]


def lock(connection: Connection, import_id: int) -> Import:
    """Return an import that nobody else changes until the transaction ends."""
    query = select(imports).where(imports.c.id == import_id).with_for_update()
    return _import(connection.execute(query).mappings().one())


def load(connection: Connection, import_id: int) -> Import:
    """Return an import."""
    query = select(imports).where(imports.c.id == import_id)
    return _import(connection.execute(query).mappings().one())


def count(connection: Connection, import_id: int, **more: int) -> None:
    """Add to the counts of an import."""
    change(connection, import_id, **{name: imports.c[name] + by for name, by in more.items() if by})


def change(connection: Connection, import_id: int, **values: Any) -> None:
    """Write these members of an import."""
    if values:
        connection.execute(update(imports).where(imports.c.id == import_id).values(values))


def _import(row: Any) -> Import:
    return Import(**{**row, "state": ImportState(row["state"])})


def _digests(
    connection: Connection, import_id: int, keys: Sequence[bytes]
) -> dict[bytes, bytes | None]:
    line = import_lines.c
    query = select(line.key, line.digest).where(line.import_id == import_id, line.key.in_(keys))
    return {bytes(key): digest and bytes(digest) for key, digest in connection.execute(query)}


def _key_of(line: BadLine) -> bytes:
    return fingerprint("bad line", str(line.number), line.code, line.said)


_EMPTY: Final = {
    "state": LineState.WAITING,
    "is_newest": False,
    **dict.fromkeys(
        ("digest", "link_id", "conversation_id", "sent_at", "scope_id", "body", "code", "reason")
    ),
}


def _bad_row(import_id: int, key: bytes, line: BadLine) -> dict[str, Any]:
    return _EMPTY | {
        "import_id": import_id,
        "state": LineState.BAD,
        "key": key,
        "number": line.number,
        "code": line.code,
        "reason": line.reason,
    }
