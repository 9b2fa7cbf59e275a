"""Until when callbacks were surely taken: one row, written again and again by every node that takes them.

A node that writes it takes callbacks: they go the same way. So what lies between two of these writes, beyond a tolerance, is a
stretch in which nobody did.
"""

from typing import Final

from sqlalchemy import BigInteger, Connection, cast, func, select, update

from chatbridge.store import recoveries
from chatbridge.store.dialect import insert_new
from chatbridge.store.recoveries import Gap, Reason, Recovery
from chatbridge.store.schema import heartbeats

_ACCEPTING: Final = "accepting"


def beat(connection: Connection, *, now: int, since: int, tolerance: int) -> Recovery | None:
    """Say that this node takes callbacks now, and has done so since a moment without a break; times are microseconds.

    Returns:
        What was found: a recovery of the stretch before that moment, if it is longer than the tolerance and no node was there.

    """
    ahead = _ahead(connection, now)
    connection.execute(
        insert_new(connection, heartbeats, "name").values(name=_ACCEPTING, at=since + ahead)
    )
    row = heartbeats.c
    mine = row.name == _ACCEPTING
    last = connection.execute(select(row.at).where(mine).with_for_update()).scalar_one()
    found = None
    if since + ahead - last > tolerance:
        gap = Gap(last - ahead, since, Reason.DOWN)
        found = recoveries.add(connection, gap, now=now)
    connection.execute(update(heartbeats).where(mine, row.at < now + ahead).values(at=now + ahead))
    return found


def _ahead(connection: Connection, now: int) -> int:
    """Return by how much the clock that all nodes share is ahead of this node's."""
    if connection.dialect.name != "postgresql":
        return 0
    clock = cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)
    return int(connection.scalar(select(clock)) or now) - now
