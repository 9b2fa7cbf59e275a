"""Lines of running imports on their way into the journal, and until they are delivered.

Lines are claimed in the order of their conversations, and within one in the order of their times. Nothing more is claimed while
something claimed is not settled. So whoever takes claimed lines in their order keeps it, whatever crashes, and however many
nodes do so at the same time: none can be ahead of another by more than lines that both were given.

Units that write fetch next to nothing: what they change was read before, beside the writer, and they look at its state again.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, exists, func, select, update

from chatbridge.errors import IdReused
from chatbridge.store.imports import BadLine, ImportState, LineState, change, count, lock
from chatbridge.store.schema import import_lines, journal, parked, pending


class ReadyLine(NamedTuple):
    """A message that goes into the journal next."""

    id: int
    number: int
    key: bytes
    digest: bytes
    link_id: int
    conversation_id: str
    is_newest: bool
    scope_id: str | None
    body: bytes


class Progress(NamedTuple):
    """How far the lines of an import have come since it was written down last."""

    waiting: int
    """Messages that wait to be delivered."""
    delivered: list[int]
    failed: list[int]
    """Lines whose messages were given up."""
    claimed: list[ReadyLine]
    """Lines that were claimed and not settled: they go first."""


class Portion(NamedTuple):
    """What can be claimed next."""

    fresh: list[ReadyLine]
    repeated: list[int]
    """Lines that the journal had before."""
    bad: dict[int, BadLine]
    """Lines whose id belongs to another message of the journal."""

    @property
    def size(self) -> int:
        """Return how many lines it is about."""
        return len(self.fresh) + len(self.repeated) + len(self.bad)


_LINE: Final = import_lines.c
_ORDER: Final = (_LINE.link_id, _LINE.conversation_id, _LINE.sent_at, _LINE.id)
_UNSETTLED: Final = _LINE.state.in_((LineState.WAITING, LineState.CLAIMED))


def look(connection: Connection, import_id: int) -> Progress:
    """Return how far an import has come."""
    query = (
        select(_LINE.id, parked.c.id.is_not(None))
        .join(journal, journal.c.key == _LINE.key)
        .outerjoin(pending, pending.c.id == journal.c.id)
        .outerjoin(parked, parked.c.id == journal.c.id)
        .where(_of(import_id, LineState.TAKEN), pending.c.id.is_(None))
    )
    ended = connection.execute(query).all()
    taken = connection.scalar(select(func.count()).where(_of(import_id, LineState.TAKEN))) or 0
    return Progress(
        waiting=taken - len(ended),
        delivered=[line_id for line_id, given_up in ended if not given_up],
        failed=[line_id for line_id, given_up in ended if given_up],
        claimed=_lines(connection, import_id, LineState.CLAIMED),
    )


def next_portion(connection: Connection, import_id: int, limit: int) -> Portion:
    """Return the lines that follow, so many at most."""
    found = _lines(connection, import_id, LineState.WAITING, limit + 1)
    talks = [(line.link_id, line.conversation_id) for line in found]
    newest = [talk != following for talk, following in pairwise([*talks, None])]
    lines = [line._replace(is_newest=last) for line, last in zip(found, newest, strict=True)]
    lines = lines[:limit]
    known = _journal_digests(connection, [line.key for line in lines])
    why = "The message id was used before with another body."
    return Portion(
        fresh=[line for line in lines if line.key not in known],
        repeated=[line.id for line in lines if known.get(line.key) == line.digest],
        bad={
            line.id: BadLine(line.number, IdReused.code, why)
            for line in lines
            if known.get(line.key, line.digest) != line.digest
        },
    )


def claim(connection: Connection, import_id: int, portion: Portion) -> bool:
    """Claim lines that follow, and settle those that need no more; return False if it is not their turn."""
    row = lock(connection, import_id)
    claimed = exists().where(_of(import_id, LineState.CLAIMED))
    if row.state is not ImportState.RUNNING or connection.scalar(select(claimed)):
        return False
    count(connection, import_id, repeated=_delete(connection, portion.repeated))
    settle(connection, import_id, (), portion.bad)
    _mark(connection, [line.id for line in portion.fresh], state=LineState.CLAIMED)
    newest = [line.id for line in portion.fresh if line.is_newest]
    _mark(connection, newest, is_newest=True)
    return True


def settle(
    connection: Connection, import_id: int, taken: Sequence[int], bad: dict[int, BadLine]
) -> None:
    """Note which lines are in the journal now, and which cannot be, and why. A second time changes nothing."""
    lock(connection, import_id)
    refused = 0
    for line_id, line in bad.items():
        why = {"code": line.code, "reason": line.reason}
        refused += _mark(connection, [line_id], state=LineState.BAD, body=None, **why)
    imported = _mark(connection, taken, state=LineState.TAKEN, body=None)
    count(connection, import_id, bad=refused, imported=imported)


def count_ends(
    connection: Connection, import_id: int, delivered: Sequence[int], failed: Sequence[int]
) -> None:
    """Count lines whose messages have come to their end."""
    lock(connection, import_id)
    ended, given_up = _delete(connection, delivered), _delete(connection, failed)
    count(connection, import_id, delivered=ended, failed=given_up)


def drop(connection: Connection, import_id: int, limit: int) -> int:
    """Drop lines of a cancelled import, so many at most; return how many."""
    lock(connection, import_id)
    waiting = select(_LINE.id).where(_of(import_id, LineState.WAITING)).limit(limit)
    dropped = connection.execute(delete(import_lines).where(_LINE.id.in_(waiting))).rowcount
    count(connection, import_id, cancelled=dropped)
    return dropped


def end(connection: Connection, import_id: int, now: int) -> None:
    """Note that an import has nothing left to do."""
    row = lock(connection, import_id)
    state = ImportState.DONE if row.state is ImportState.RUNNING else row.state
    change(connection, import_id, state=state, ended_at=now)


def _lines(
    connection: Connection, import_id: int, state: LineState, limit: int | None = None
) -> list[ReadyLine]:
    query = select(*(_LINE[name] for name in ReadyLine._fields)).where(_of(import_id, state))
    rows = connection.execute(query.order_by(*_ORDER).limit(limit))
    lines = [ReadyLine(*row) for row in rows]
    return [
        line._replace(key=bytes(line.key), digest=bytes(line.digest), body=bytes(line.body))
        for line in lines
    ]


def _of(import_id: int, state: LineState) -> Any:
    return (_LINE.import_id == import_id) & (_LINE.state == state)


def _journal_digests(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    query = select(journal.c.key, journal.c.digest).where(journal.c.key.in_(keys))
    return {bytes(key): bytes(digest) for key, digest in connection.execute(query)}


def _mark(connection: Connection, ids: Collection[int], **values: object) -> int:
    if not ids:
        return 0
    statement = update(import_lines).where(_LINE.id.in_(ids), _UNSETTLED).values(values)
    return connection.execute(statement).rowcount


def _delete(connection: Connection, ids: Collection[int]) -> int:
    if not ids:
        return 0
    return connection.execute(delete(import_lines).where(_LINE.id.in_(ids))).rowcount
