"""Lines of running imports on their way into the journal, and until they are delivered.

Lines are claimed in the order of their conversations, and within one in the order of their times. Nothing more is claimed while
something claimed is not settled. So whoever takes claimed lines in their order keeps it, whatever crashes, and however many
nodes do so at the same time: none can be ahead of another by more than lines that both were given.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, exists, select, update

from chatbridge.errors import IdReused
from chatbridge.store.imports import (
    BadLine,
    ImportState,
    LineState,
    change,
    count,
    lock,
)
from chatbridge.store.schema import import_lines, journal, parked, pending


class ClaimedLine(NamedTuple):
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


class Portion(NamedTuple):
    """What is next of an import."""

    lines: list[ClaimedLine]
    settled: int = 0
    """How many lines need nothing more, as the journal had them before, or as the import is cancelled."""


class Progress(NamedTuple):
    """What is known of an import after its ends were counted."""

    waiting: int
    """Its messages that wait to be delivered."""
    ended: int
    """How many of them have ended since it was looked at last."""


_LINE: Final = import_lines.c
_ORDER: Final = (_LINE.link_id, _LINE.conversation_id, _LINE.sent_at, _LINE.id)
_DROPPED: Final = 1_000
"""Lines of a cancelled import that are deleted at once."""


def count_ends(connection: Connection, import_id: int, now: int) -> Progress:
    """Count what of an import was delivered or given up; if nothing is left of it, it has ended."""
    row = lock(connection, import_id)
    query = (
        select(_LINE.id, pending.c.id.is_not(None), parked.c.id.is_not(None))
        .join(journal, journal.c.key == _LINE.key)
        .outerjoin(pending, pending.c.id == journal.c.id)
        .outerjoin(parked, parked.c.id == journal.c.id)
        .where(_of(import_id, LineState.TAKEN))
    )
    found = connection.execute(query).all()
    ended = [(line_id, given_up) for line_id, is_waiting, given_up in found if not is_waiting]
    _delete(connection, [line_id for line_id, _ in ended])
    failed = sum(given_up for _, given_up in ended)
    count(connection, import_id, delivered=len(ended) - failed, failed=failed)
    waiting = len(found) - len(ended)
    if not waiting and not _is_unsettled(connection, import_id):
        state = ImportState.DONE if row.state is ImportState.RUNNING else row.state
        change(connection, import_id, state=state, ended_at=now)
    return Progress(waiting, len(ended))


def claim(connection: Connection, import_id: int, limit: int) -> Portion:
    """Return the lines that go into the journal next: those claimed before and not settled, or else so many at most.

    What the journal had before is settled here: it is no news, or its id belongs to another message.
    """
    row = lock(connection, import_id)
    claimed = _claimed(connection, import_id)
    if claimed or limit < 1:
        return Portion(claimed)
    if row.state is ImportState.CANCELLED:
        return Portion([], _drop(connection, import_id))
    found = _next(connection, import_id, limit)
    known = _journal_digests(connection, [line.key for line in found])
    repeated = [line.id for line in found if known.get(line.key) == line.digest]
    reused = [line for line in found if known.get(line.key, line.digest) != line.digest]
    _delete(connection, repeated)
    count(connection, import_id, repeated=len(repeated))
    why = "The message id was used before with another body."
    bad = {line.id: BadLine(line.number, IdReused.code, why) for line in reused}
    settle(connection, import_id, (), bad)
    fresh = [line for line in found if line.key not in known]
    _mark(connection, [line.id for line in fresh], state=LineState.CLAIMED)
    _mark(connection, [line.id for line in fresh if line.is_newest], is_newest=True)
    return Portion(fresh, len(found) - len(fresh))


def settle(
    connection: Connection, import_id: int, taken: Sequence[int], bad: dict[int, BadLine]
) -> None:
    """Note which lines are in the journal now, and which cannot be, and why. A second time changes nothing."""
    lock(connection, import_id)
    unsettled = _LINE.state.in_((LineState.WAITING, LineState.CLAIMED))
    for line_id, line in bad.items():
        done = connection.execute(
            update(import_lines)
            .where(_LINE.id == line_id, unsettled)
            .values(state=LineState.BAD, code=line.code, reason=line.reason, body=None)
        )
        count(connection, import_id, bad=done.rowcount)
    done = connection.execute(
        update(import_lines)
        .where(_LINE.id.in_(taken), unsettled)
        .values(state=LineState.TAKEN, body=None)
    )
    count(connection, import_id, imported=done.rowcount)


def _claimed(connection: Connection, import_id: int) -> list[ClaimedLine]:
    query = _lines().where(_of(import_id, LineState.CLAIMED)).order_by(*_ORDER)
    return [_claimed_line(row) for row in connection.execute(query)]


def _next(connection: Connection, import_id: int, limit: int) -> list[ClaimedLine]:
    query = _lines().where(_of(import_id, LineState.WAITING)).order_by(*_ORDER).limit(limit + 1)
    found = [_claimed_line(row) for row in connection.execute(query)]
    talks = [(line.link_id, line.conversation_id) for line in found]
    newest = [talk != following for talk, following in pairwise([*talks, None])]
    marked = [line._replace(is_newest=last) for line, last in zip(found, newest, strict=True)]
    return marked[:limit]


def _lines() -> Any:
    return select(*(_LINE[name] for name in ClaimedLine._fields))


def _claimed_line(row: Any) -> ClaimedLine:
    line = ClaimedLine(*row)
    return line._replace(key=bytes(line.key), digest=bytes(line.digest), body=bytes(line.body))


def _of(import_id: int, state: LineState) -> Any:
    return (_LINE.import_id == import_id) & (_LINE.state == state)


def _journal_digests(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    query = select(journal.c.key, journal.c.digest).where(journal.c.key.in_(keys))
    return {bytes(key): bytes(digest) for key, digest in connection.execute(query)}


def _is_unsettled(connection: Connection, import_id: int) -> bool:
    unsettled = _LINE.state.in_((LineState.WAITING, LineState.CLAIMED))
    query = exists().where(_LINE.import_id == import_id, unsettled)
    return bool(connection.scalar(select(query)))


def _drop(connection: Connection, import_id: int) -> int:
    query = select(_LINE.id).where(_of(import_id, LineState.WAITING)).limit(_DROPPED)
    dropped = connection.scalars(query).all()
    _delete(connection, dropped)
    count(connection, import_id, cancelled=len(dropped))
    return len(dropped)


def _mark(connection: Connection, ids: Collection[int], **values: object) -> None:
    connection.execute(update(import_lines).where(_LINE.id.in_(ids)).values(values))


def _delete(connection: Connection, ids: Collection[int]) -> None:
    connection.execute(delete(import_lines).where(_LINE.id.in_(ids)))
