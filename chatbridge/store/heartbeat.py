"""Until when callbacks were surely taken: one row, written again and again by every node that takes them.

A node that writes it takes callbacks: they go the same way. So what lies between the last of these writes and the first one of a
node that begins, beyond a tolerance, is a stretch in which nobody did.
"""

from typing import Any, Final

from sqlalchemy import BigInteger, Connection, cast, func, literal, select, update

from chatbridge.store import recoveries
from chatbridge.store.dialect import insert_new
from chatbridge.store.hot import one_statement
from chatbridge.store.recoveries import Gap, Reason, Recovery
from chatbridge.store.schema import heartbeats

_ACCEPTING: Final = "accepting"
_MINE: Final = heartbeats.c.name == _ACCEPTING


def begin(
    connection: Connection, *, now: int, tolerance: int, in_turn: bool = True
) -> Recovery | None:
    """Find out what was missed before this node began to take callbacks; times are microseconds. Say `beat` afterwards.

    Args:
        connection: in a transaction.
        now: this node's time.
        tolerance: a stretch that is not longer is none.
        in_turn: nodes that begin together do so one after another, so that one of them finds it; the database is unavailable to
            the others for a moment. Without it, what a node that hangs has begun stands in nobody's way.

    Returns:
        A recovery of the stretch before, if nobody took callbacks for longer than the tolerance.

    """
    shared = int(connection.scalar(select(_clock(connection, now))) or now)
    last_beat = select(heartbeats.c.at).where(_MINE)
    last = connection.scalar(last_beat.with_for_update(nowait=True) if in_turn else last_beat)
    if last is None:
        first = insert_new(connection, heartbeats, "name").values(name=_ACCEPTING, at=shared)
        connection.execute(first)
        return None
    if shared - last <= tolerance:
        return None
    found = recoveries.add(connection, Gap(now - (shared - last), now, Reason.DOWN), now=now)
    if in_turn:
        connection.execute(update(heartbeats).where(_MINE).values(at=shared))
    return found


@one_statement
def beat(connection: Connection, *, now: int) -> None:
    """Say that this node takes callbacks. It waits for nobody: whoever has the row says the same."""
    row, clock = heartbeats.c, _clock(connection, now)
    free = select(row.name).where(_MINE, row.at < clock).with_for_update(skip_locked=True)
    connection.execute(update(heartbeats).where(row.name.in_(free)).values(at=clock))


def _clock(connection: Connection, now: int) -> Any:
    """Return the time by the clock that all nodes share; where there is one node, it is that node's."""
    if connection.dialect.name != "postgresql":
        return literal(now, BigInteger)
    return cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)
