"""How often a far side may be called: one small row for each limit, shared by all nodes of a database.

Times are those of one clock for everybody: PostgreSQL's own, on SQLite the clock of the one process. What the numbers mean
is decided by pure functions (`clients.allowance`); here they are read and written without anybody in between.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeVar

from sqlalchemy import Connection, select, update

from chatbridge.store.dialect import insert_new, present
from chatbridge.store.schema import allowances

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceRow:
    """The state of one limit; times in microseconds."""

    next_at: int = 0
    """GCRA's theoretical arrival time: when the next call would come if all came evenly spaced."""
    closed_until: int = 0
    """No call before this."""
    banned: bool = False
    """Whether it opens only after a single call, the probe, went well."""


def change(
    connection: Connection,
    key: str,
    decide: Callable[[AllowanceRow, int], tuple[AllowanceRow, T]],
    *,
    now: int,
) -> T:
    """Give the row and the present to `decide`, write what it makes of it, and return its answer.

    Guarantees: of all who change a key, on any node, one does at a time.

    Args:
        connection: in a transaction.
        key: whose limit it is; its row is made when it is first used.
        decide: a pure function.
        now: the present, microseconds. PostgreSQL has its own and ignores it: the clocks of nodes may differ.

    """
    while (found := _load(connection, key, now, lock=True)) is None:
        fresh = insert_new(connection, allowances, "key")
        connection.execute(fresh.values(key=key, **asdict(AllowanceRow())))
    row, present = found
    after, answer = decide(row, present)
    if after != row:
        connection.execute(
            update(allowances).where(allowances.c.key == key).values(**asdict(after))
        )
    return answer


def load(connection: Connection, key: str, *, now: int) -> tuple[AllowanceRow, int]:
    """Return the row and the present. Nothing is locked.

    Raises:
        LookupError: the key was never changed.

    """
    found = _load(connection, key, now, lock=False)
    if found is None:
        raise LookupError(key)
    return found


def _load(
    connection: Connection, key: str, now: int, *, lock: bool
) -> tuple[AllowanceRow, int] | None:
    row = allowances.c
    query = select(
        row.next_at, row.closed_until, row.banned, present(connection, now).label("now")
    ).where(row.key == key)
    # SQLite has no such lock and needs none: its writers stand in one line.
    found = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        return None
    state = AllowanceRow(
        next_at=found.next_at, closed_until=found.closed_until, banned=found.banned
    )
    return state, int(found.now)
