"""Who delivers what, where several nodes share one PostgreSQL database.

Each node holds leases on some partitions and renews them all at once. Times are the database's, so the nodes' own clocks do not
matter. A lease that was not renewed in time can be taken by whoever sees it first; its token grows, so what the former
holder decided since then is told apart (`pending.settle`).
"""

from collections.abc import Iterable

from msgspec import Struct
from sqlalchemy import BigInteger, Connection, cast, delete, func, select, update

from chatbridge.store.dialect import Topic, insert_into, notify
from chatbridge.store.partitions import PARTITIONS
from chatbridge.store.schema import leases, nodes

_NOW = cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)


class Standing(Struct, frozen=True, kw_only=True):
    """What a node holds after a renewal."""

    tokens: dict[int, int]
    """The token of each partition it holds."""
    fair: int
    """How many it should hold at most, so that every node has its share."""
    nodes: int
    """How many nodes are alive."""


def renew(connection: Connection, node: str, *, seconds: float) -> Standing:
    """Keep the leases of a node for so many seconds more, and take free ones up to its fair share.

    Guarantees: a partition has one holder at any time; a lease that ran out is not renewed but taken anew, with another token.
    """
    now = int(connection.scalar(select(_NOW)) or 0)
    until = now + int(seconds * 1_000_000)
    alive = insert_into(connection, nodes).values(id=node, expires_at=until)
    connection.execute(
        alive.on_conflict_do_update(index_elements=["id"], set_={"expires_at": until})
    )
    connection.execute(delete(nodes).where(nodes.c.expires_at <= now))
    count = connection.scalar(select(func.count()).select_from(nodes)) or 1
    fair = -(-PARTITIONS // count)
    row = leases.c
    held = update(leases).where(row.node == node, row.expires_at > now).values(expires_at=until)
    rows = connection.execute(held.returning(row.partition, row.token)).all()
    tokens: dict[int, int] = {number: token for number, token in rows}  # noqa: C416 - keeps its type
    if len(tokens) < fair:
        tokens |= _take(connection, node, fair - len(tokens), now=now, until=until)
    return Standing(tokens=tokens, fair=fair, nodes=count)


def _take(connection: Connection, node: str, most: int, *, now: int, until: int) -> dict[int, int]:
    row = leases.c
    free = (
        select(row.partition)
        .where(row.expires_at <= now)
        .order_by(row.partition)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    numbers = connection.scalars(free).all()
    taken = (
        update(leases)
        .where(row.partition.in_(numbers))
        .values(node=node, token=row.token + 1, expires_at=until)
        .returning(row.partition, row.token)
    )
    return {number: token for number, token in connection.execute(taken).all()}  # noqa: C416 - keeps its type


def release(connection: Connection, node: str, partitions: Iterable[int]) -> None:
    """Give partitions back, for others to take at once."""
    row = leases.c
    connection.execute(
        update(leases)
        .where(row.node == node, row.partition.in_(list(partitions)))
        .values(node=None, expires_at=0)
    )
    notify(connection, Topic.LEASES)


def leave(connection: Connection, node: str) -> None:
    """Take a node off the list, with everything it holds."""
    connection.execute(delete(nodes).where(nodes.c.id == node))
    row = leases.c
    connection.execute(update(leases).where(row.node == node).values(node=None, expires_at=0))
    notify(connection, Topic.LEASES)


def prepare(connection: Connection) -> None:
    """Make the row of each partition that has none yet."""
    rows = [{"partition": number, "token": 0, "expires_at": 0} for number in range(PARTITIONS)]
    connection.execute(insert_into(connection, leases).on_conflict_do_nothing(), rows)


def held_by(connection: Connection, tokens: dict[int, int]) -> set[int]:
    """Return those partitions whose lease still has this token, and keep them from being taken until the transaction ends."""
    row = leases.c
    found = connection.execute(
        select(row.partition, row.token).where(row.partition.in_(tokens)).with_for_update(read=True)
    )
    return {number for number, token in found if tokens[number] == token}
