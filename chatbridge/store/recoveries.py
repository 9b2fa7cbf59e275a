"""Stretches of time in which amoCRM's callbacks may have been lost, and what was found missing of them."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import Connection, insert, select, update

from chatbridge.store.schema import conversations, journal, recovered_entries, recoveries


class Reason(StrEnum):
    """Why replies may be missing. The words are stored; they never change."""

    DOWN = "down"
    """Nobody was there to take callbacks."""
    STALLED = "stalled"
    """The server stood still for longer than amoCRM waits."""
    REFUSED = "refused"
    """Callbacks were not answered with 200, or too late: neither the database nor the spool took them."""
    ASKED = "asked"
    """Somebody asked for it."""


class State(StrEnum):
    """How far a recovery has come. The words are stored; they never change."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    PARTIAL = "partial"
    """It has ended, and the history of some conversations was not given."""


class Gap(NamedTuple):
    """A stretch of time, both ends in microseconds."""

    from_at: int
    to_at: int
    reason: Reason
    scope_id: str | None = None
    """Of one link; all of them when None."""


class Recovery(NamedTuple):
    """A recovery as stored."""

    id: int
    from_at: int
    to_at: int
    reason: str
    state: str
    scope_id: str | None
    conversations: int
    """Whose history was read."""
    failed: int
    """Whose history was not given."""
    recovered: int
    """Replies that were missing and are delivered now."""
    created_at: int
    ended_at: int | None


class Active(NamedTuple):
    """A conversation that amoCRM knows."""

    link_id: int
    external_id: str | None
    amojo_id: str


_COLUMNS: Final = [recoveries.c[name] for name in Recovery._fields]


def add(connection: Connection, gap: Gap, *, now: int) -> Recovery:
    """Have a stretch looked into. One that begins to wait while another does is joined with that."""
    row = recoveries.c
    waiting = connection.execute(
        select(*_COLUMNS)
        .where(row.state == State.WAITING, row.scope_id.is_not_distinct_from(gap.scope_id))
        .order_by(row.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if waiting is not None and gap.reason is not Reason.ASKED:
        ends = {
            "from_at": min(waiting.from_at, gap.from_at),
            "to_at": max(waiting.to_at, gap.to_at),
        }
        connection.execute(update(recoveries).where(row.id == waiting.id).values(ends))
        return Recovery(*waiting)._replace(**ends)
    new = insert(recoveries).values(
        **gap._asdict(), state=State.WAITING, conversations=0, failed=0, recovered=0, created_at=now
    )
    return Recovery(*connection.execute(new.returning(*_COLUMNS)).one())


def next_open(connection: Connection) -> Recovery | None:
    """Return what is to be gone on with, or else begun."""
    row = recoveries.c
    open_ = (
        select(*_COLUMNS)
        .where(row.state.in_((State.RUNNING, State.WAITING)))
        .order_by(row.state == State.WAITING, row.id)
        .limit(1)
    )
    found = connection.execute(open_).first()
    return None if found is None else Recovery(*found)


def begin(connection: Connection, recovery_id: int) -> Recovery:
    """Take note that it is under way; return it as it is now."""
    changed = update(recoveries).where(recoveries.c.id == recovery_id)
    row = connection.execute(changed.values(state=State.RUNNING).returning(*_COLUMNS)).one()
    return Recovery(*row)


def end(
    connection: Connection, recovery_id: int, *, conversations: int, failed: int, now: int
) -> Recovery:
    """Take note of its end; return it."""
    changed = update(recoveries).where(recoveries.c.id == recovery_id)
    values = {
        "state": State.PARTIAL if failed else State.DONE,
        "conversations": conversations,
        "failed": failed,
        "ended_at": now,
    }
    return Recovery(*connection.execute(changed.values(values).returning(*_COLUMNS)).one())


def list_recoveries(
    connection: Connection,
    *,
    before: int | None,
    limit: int,
    scope_ids: Collection[str] | None = None,
) -> list[Recovery]:
    """Return recoveries, newest first, those made before one where that is given, and those of some links only where they are."""
    query = select(*_COLUMNS).order_by(recoveries.c.id.desc()).limit(limit)
    if scope_ids is not None:
        query = query.where(recoveries.c.scope_id.in_(scope_ids))
    if before is not None:
        query = query.where(recoveries.c.id < before)
    return [Recovery(*row) for row in connection.execute(query)]


def note(connection: Connection, found: Collection[tuple[int, int]]) -> None:
    """Take note of entries that were found missing, each with its recovery."""
    rows = [{"entry_id": entry, "recovery_id": recovery} for entry, recovery in found]
    connection.execute(insert(recovered_entries), rows)
    for recovery in sorted({recovery for _, recovery in found}):
        count = sum(1 for _, other in found if other == recovery)
        counted = update(recoveries).where(recoveries.c.id == recovery)
        connection.execute(counted.values(recovered=recoveries.c.recovered + count))


class Page(NamedTuple):
    """Conversations of a stretch of the journal."""

    active: Sequence[Active]
    """Those that amoCRM knows, the most recently active first; none twice."""
    first: int | None
    """Where the stretch begins; None where nothing is left that is new enough."""


def list_active(connection: Connection, *, before: int | None, since: int, limit: int) -> Page:
    """Return who was active in the stretch of the journal that ends before an entry, if that is not older than `since`.

    It goes by number, so it needs no index of times, and costs the hot path nothing.
    """
    entry = journal.c
    query = select(entry.id, entry.conversation_id, entry.received_at).order_by(entry.id.desc())
    if before is not None:
        query = query.where(entry.id < before)
    rows = connection.execute(query.limit(limit)).all()
    numbers = list(dict.fromkeys(row.conversation_id for row in rows if row.received_at >= since))
    if not numbers:
        return Page((), None)
    row = conversations.c
    known = connection.execute(
        select(row.id, row.link_id, row.external_id, row.amojo_id).where(
            row.id.in_(numbers), row.amojo_id.is_not(None)
        )
    )
    by_number = {number: Active(*names) for number, *names in known}
    active = [by_number[number] for number in numbers if number in by_number]
    return Page(active, rows[-1].id if len(rows) == limit else None)
