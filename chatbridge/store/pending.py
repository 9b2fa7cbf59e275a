"""What is still to deliver: load it in order, and record what became of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Connection,
    Integer,
    Select,
    any_,
    bindparam,
    func,
    literal_column,
    select,
    true,
    update,
)

from chatbridge.model import Direction
from chatbridge.store import conversations, far_ids, leases
from chatbridge.store.dialect import hot_rows, insert_new
from chatbridge.store.entries import AttemptRow, Entry, Naming, Outcome, OutcomeKind
from chatbridge.store.hot import Hot, one_statement
from chatbridge.store.journal import accept
from chatbridge.store.partitions import EVERYTHING, PARTITIONS, partition_of
from chatbridge.store.schema import conversations as conversation_table
from chatbridge.store.schema import journal, parked, pending


def _waiting() -> Select[Any]:
    entry, row = journal.c, conversation_table.c
    return (
        select(
            entry.id,
            pending.c.lane,
            entry.conversation_id,
            row.external_id,
            row.amojo_id,
            row.client_ref_id,
            row.link_id,
            entry.direction,
            entry.kind,
            entry.key,
            entry.message_id,
            entry.body,
            entry.received_at,
            pending.c.attempts,
            pending.c.since,
            pending.c.due_at,
        )
        .select_from(pending)
        .join(journal, journal.c.id == pending.c.id)
        .join(conversation_table, row.id == entry.conversation_id)
    )


_PARTITION: Final = (
    pending.c.lane // literal_column("2", Integer) % literal_column(str(PARTITIONS), Integer)
)


def _after() -> Select[Any]:
    # The bound is said for both tables: PostgreSQL does not carry it over the join by itself.
    after: BindParameter[int] = bindparam("after")
    query = _waiting().where(pending.c.id > after, journal.c.id > after)
    return query.order_by(pending.c.id).limit(bindparam("limit"))


def _after_of_some() -> Select[Any]:
    wanted = bindparam("partitions", type_=ARRAY(Integer))
    return _after().where(any_(wanted) == _PARTITION)


def _first_of_lane() -> Select[Any]:
    query = _waiting().where(pending.c.lane == bindparam("lane"))
    return query.order_by(pending.c.id).limit(bindparam("limit"))


def _first_of_lanes() -> Select[Any]:
    numbers = bindparam("lanes", type_=ARRAY(BigInteger))
    lane = func.unnest(numbers).table_valued("number").render_derived()
    first = _waiting().where(pending.c.lane == lane.c.number).order_by(pending.c.id)
    each = first.limit(bindparam("limit")).lateral()
    return select(each).select_from(lane.join(each, true())).order_by(each.c.lane, each.c.id)


_AFTER: Final = Hot(_after, "after", "limit")
_AFTER_OF_SOME: Final = Hot(_after_of_some, "after", "limit", "partitions")
_FIRST_OF_LANE: Final = Hot(_first_of_lane, "lane", "limit")
_FIRST_OF_LANES: Final = Hot(_first_of_lanes, "lanes", "limit")


@one_statement
def load_after(
    connection: Connection, entry_id: int, limit: int, partitions: Sequence[int] | None = None
) -> list[Entry]:
    """Return what is still to deliver beyond an entry, oldest first, of some partitions or of all.

    Its cost does not grow with the backlog.
    """
    if partitions is None:
        return _entries(_AFTER.read(connection, entry_id, limit))
    if connection.dialect.name == "postgresql":
        return _entries(_AFTER_OF_SOME.read(connection, entry_id, limit, partitions))
    some = _waiting().where(pending.c.id > entry_id, _PARTITION.in_(partitions))
    return _entries(connection.execute(some.order_by(pending.c.id).limit(limit)))


@one_statement
def load_lanes(connection: Connection, lanes: Sequence[int], limit: int) -> list[list[Entry]]:
    """Return for each lane its first entries that are still to deliver."""
    if connection.dialect.name != "postgresql":
        return [_entries(_FIRST_OF_LANE.read(connection, lane, limit)) for lane in lanes]
    # A question costs more than its answer: one for all of them.
    found: dict[int, list[Entry]] = {lane: [] for lane in lanes}
    for entry in _entries(_FIRST_OF_LANES.read(connection, list(found), limit)):
        found[entry.lane].append(entry)
    return [found[lane] for lane in lanes]


def list_lanes(connection: Connection, after: int, limit: int) -> list[tuple[int, int]]:
    """Return lane and id of what is still to deliver in the lanes beyond one, in their order, so many entries at most.

    Its cost does not grow with the backlog.
    """
    row = pending.c
    query = select(row.lane, row.id).where(row.lane > after).order_by(row.lane, row.id).limit(limit)
    return [(lane, entry_id) for lane, entry_id in connection.execute(query)]


def newest(connection: Connection) -> int:
    """Return the id of the newest entry that is still to deliver, 0 if there is none."""
    return connection.scalar(select(func.max(pending.c.id))) or 0


def load_entries(connection: Connection, ids: Sequence[int]) -> list[Entry]:
    """Return these entries as far as they are still to deliver, oldest first."""
    query = _waiting().where(pending.c.id.in_(ids)).order_by(pending.c.id)
    return _entries(connection.execute(query))


_DIRECTIONS: Final = tuple(Direction)
_DIRECTION: Final = 7
"""Place of the direction among the columns of `_waiting`, which are those of Entry."""


def _entries(rows: Iterable[Sequence[Any]]) -> list[Entry]:
    entries = []
    for row in rows:
        values = list(row)
        values[_DIRECTION] = _DIRECTIONS[values[_DIRECTION]]
        entries.append(Entry(*values))
    return entries


def settle(
    connection: Connection,
    outcomes: Sequence[Outcome],
    now: int,
    tokens: Mapping[int, int] | None = None,
) -> None:
    """Record the ends of attempts: delivered and parked entries leave `pending`, the others get their next time.

    That something was delivered is a fact, and recorded in any case. To try again or to give up is a decision: where there are
    several nodes, only the holder of the partition takes it, who shows the `tokens` of its leases. What follows from an outcome
    is accepted with it; whoever calls this has its lanes looked up.
    """
    decided = _decided(connection, outcomes, tokens)
    retried = [outcome for outcome in decided if outcome.kind is OutcomeKind.RETRY]
    if retried:
        _postpone(connection, retried)
    given_up = [outcome for outcome in decided if outcome.kind is OutcomeKind.PARKED]
    if given_up:
        rows = [_parked(outcome, now) for outcome in given_up]
        connection.execute(insert_new(connection, parked, "id"), rows)
    _learn(connection, outcomes)
    delivered = [outcome for outcome in outcomes if outcome.kind is OutcomeKind.DELIVERED]
    made = [_attempt(outcome, now) for outcome in (*delivered, *decided)]
    following = [o.follow_up for o in (*delivered, *decided) if o.follow_up is not None]
    if following:
        accept(connection, following, now, EVERYTHING if tokens is None else frozenset(tokens))
    if made:
        hot_rows(connection).record(
            connection, made, [outcome.entry.id for outcome in (*delivered, *given_up)]
        )


def _learn(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    """Remember what far sides call conversations and messages."""
    told = [
        (outcome.entry, outcome.far_conversation_id)
        for outcome in outcomes
        if outcome.far_conversation_id is not None
    ]
    learnt = [
        Naming(entry.link_id, entry.external_id, far_id)
        for entry, far_id in told
        if entry.direction is Direction.TO_AMOJO and entry.external_id is not None
    ]
    if learnt:
        conversations.learn_amojo_ids(connection, learnt)
    named = [
        Naming(entry.link_id, far_id, entry.amojo_id)
        for entry, far_id in told
        if entry.direction is Direction.TO_MESSENGER and entry.amojo_id is not None
    ]
    if named:
        conversations.bind(connection, named)
    messages = [outcome for outcome in outcomes if outcome.names]
    if messages:
        far_ids.note(connection, messages)


@one_statement
def settle_delivered(connection: Connection, outcomes: Sequence[Outcome], now: int) -> None:
    """Do as `settle` where everything was delivered, and nothing was learnt by it (`Outcome.is_plain`)."""
    made = [_attempt(outcome, now) for outcome in outcomes]
    hot_rows(connection).record(connection, made, [outcome.entry.id for outcome in outcomes])


def _decided(
    connection: Connection, outcomes: Sequence[Outcome], tokens: Mapping[int, int] | None
) -> list[Outcome]:
    """Return the outcomes that are decisions, as far as they are ours."""
    decisions = [outcome for outcome in outcomes if outcome.kind is not OutcomeKind.DELIVERED]
    if tokens is None or not decisions:
        return decisions
    wanted = {partition_of(outcome.entry.lane) for outcome in decisions}
    held = leases.held_by(connection, {n: tokens[n] for n in wanted if n in tokens})
    return [outcome for outcome in decisions if partition_of(outcome.entry.lane) in held]


def _postpone(connection: Connection, retried: Sequence[Outcome]) -> None:
    statement = update(pending).where(pending.c.id == bindparam("entry_id"))
    connection.execute(
        statement.values(attempts=bindparam("made"), due_at=bindparam("due")),
        [{"entry_id": o.entry.id, "made": o.entry.attempts + 1, "due": o.due_at} for o in retried],
    )


def _attempt(outcome: Outcome, now: int) -> AttemptRow:
    return AttemptRow(
        outcome.entry.id,
        outcome.entry.attempts + 1,
        outcome.kind.value,
        outcome.signed_at,
        outcome.answered_at,
        now,
        outcome.code,
        outcome.detail,
        outcome.far_id,
    )


def _parked(outcome: Outcome, now: int) -> dict[str, object]:
    return {
        "id": outcome.entry.id,
        "lane": outcome.entry.lane,
        "link_id": outcome.entry.link_id,
        "attempts": outcome.entry.attempts + 1,
        "code": outcome.code or "unknown",
        "detail": outcome.detail or "",
        "parked_at": now,
    }
