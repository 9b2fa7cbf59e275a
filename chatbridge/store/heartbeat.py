"""Until when callbacks were surely taken: one row, written again and again by every node that takes them.

A node that writes it takes callbacks: they go the same way. So what lies between the last of these writes and the first one of a
node that begins, beyond a tolerance, is a stretch in which nobody did.
"""

from typing import Any, Final

from sqlalchemy import BigInteger, Connection, cast, func, literal, select, update

from chatbridge.store import recoveries
from chatbridge.store.dialect import insert_new
from chatbridge.store.recoveries import Gap, Reason, Recovery
from chatbridge.store.schema import heartbeats

_MINE: Final = heartbeats.c.name == "accepting"


def begin(connection: Connection, *, now: int, tolerance: int) -> Recovery | None:
    """Say that this node takes callbacks from now on; times are microseconds.

    Returns:
        A recovery of the stretch before, if nobody did for longer than the tolerance.

    """
    shared = int(connection.scalar(select(_clock(connection, now))) or now)
    first = insert_new(connection, heartbeats, "name").values(name="accepting", at=shared)
    connection.execute(first)
    last = connection.execute(select(heartbeats.c.at).where(_MINE).with_for_update()).scalar_one()
    found = None
    if shared - last > tolerance:
        gap = Gap(now - (shared - last), now, Reason.DOWN)
        found = recoveries.add(connection, gap, now=now)
    beat(connection, now=now)
    return found


def beat(connection: Connection, *, now: int) -> None:
    """Say that this node still takes callbacks."""
    clock = _clock(connection, now)
    connection.execute(update(heartbeats).where(_MINE, heartbeats.c.at < clock).values(at=clock))


def _clock(connection: Connection, now: int) -> Any:
    """Return the time by the clock that all nodes share; where there is one node, it is that node's."""
    if connection.dialect.name != "postgresql":
        return literal(now, BigInteger)
    return cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)
