"""A limit shared by nodes: several stores on PostgreSQL, where their clocks differ; several users of one on SQLite."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest

from chatbridge.clients.allowance import PROBE_EVERY, SECOND, Ask, Grant, Rate, reserve
from chatbridge.clients.turns import Turns
from chatbridge.clock import SystemClock
from chatbridge.errors import Throttled
from chatbridge.store import allowances
from chatbridge.store.allowances import AllowanceRow
from chatbridge.store.engine import Store, open_store
from chatbridge.store.sqlite import SqliteStore
from tests.fakes import BEGINNING, SECONDS

KEY = "account-1"
HOUR = 3600 * SECOND
STRETCH = SECOND // 2
"""Of the limit in these tests, to have them end sooner."""

EARTH = SystemClock()
"""By which the tests see what happens."""


class ShiftedClock(SystemClock):
    """A node's clock that is wrong. Pushing one that tells how long things take makes what the node knows old."""

    def __init__(self, ahead: int) -> None:
        super().__init__()
        self.ahead = ahead

    def now(self) -> int:
        return super().now() + self.ahead


class Node:
    """What one node has."""

    def __init__(self, store: Store, number: int, rate: Rate) -> None:
        # All users of a SQLite database are in one process, with one clock.
        wrong = 0 if isinstance(store, SqliteStore) else (number - 1) * HOUR
        self.store, self.steady = store, ShiftedClock(number * 7_777_777)
        self.turns = Turns(store, rate=rate, clock=ShiftedClock(wrong), steady=self.steady)

    async def call(self, times: int, calls: list[int]) -> None:
        """Make calls, one after the other, as often as the limit lets it."""
        for _ in range(times):
            await self.turns.take(KEY, patience=SECONDS)
            calls.append(EARTH.now())


@pytest.fixture
async def stores(store: Store, store_url: str) -> AsyncIterator[list[Store]]:
    """Three stores on one database; on SQLite, which serves one process, thrice the same."""
    if store_url.startswith("sqlite"):
        yield [store] * 3
        return
    # They are not started, for a store may want to be alone when it starts; it connects when it is used.
    others = [open_store(store_url) for _ in range(2)]
    yield [store, *others]
    for other in others:
        await other.close()


def make_nodes(stack: AsyncExitStack, stores: Iterable[Store], rate: Rate) -> list[Node]:
    nodes = [Node(store, number, rate) for number, store in enumerate(stores)]
    for node in nodes:
        stack.push_async_callback(node.turns.stop)
    return nodes


@pytest.fixture
async def nodes(stores: list[Store]) -> AsyncIterator[list[Node]]:
    async with AsyncExitStack() as stack:
        yield make_nodes(stack, stores, Rate.of(7))


def most_in_any(length: int, moments: list[int]) -> int:
    return max(sum(s <= m <= s + length for m in moments) for s in moments)


@pytest.mark.parametrize("burst", [1, 3])
async def test_all_nodes_together_keep_to_the_limit_and_none_starves(
    stores: list[Store], burst: int
) -> None:
    calls: list[int] = []
    async with AsyncExitStack() as stack, asyncio.timeout(SECONDS):
        nodes = make_nodes(stack, stores, Rate.of(7, seconds=STRETCH / SECOND, burst=burst))
        # The first has many callers, the second a few, the third one that calls again and again.
        crowds = [(nodes[0], 1)] * 12 + [(nodes[1], 2)] * 4 + [(nodes[2], 8)]
        await asyncio.gather(*(node.call(times, calls) for node, times in crowds))
    assert len(calls) == 28
    assert most_in_any(STRETCH, calls) <= 7 + burst


async def test_a_crowd_on_one_node_does_not_keep_others_waiting(stores: list[Store]) -> None:
    crowd: list[int] = []
    few: list[int] = []
    async with AsyncExitStack() as stack, asyncio.timeout(SECONDS):
        nodes = make_nodes(stack, stores, Rate.of(7, seconds=STRETCH / SECOND))
        callers = [asyncio.create_task(nodes[0].call(1, crowd)) for _ in range(40)]
        await nodes[1].call(3, few)
        await asyncio.gather(*callers)
    assert sum(call < few[0] for call in crowd) <= 20
    assert few[-1] < crowd[-1]
    assert most_in_any(STRETCH, crowd + few) <= 8


async def test_those_who_use_a_key_first_at_the_same_time_get_different_slots(
    stores: list[Store],
) -> None:
    ask = partial(reserve, ask=Ask(count=2, patience=HOUR), rate=Rate.of(7))
    answers = await asyncio.gather(
        *(store.write(allowances.change, KEY, ask, now=BEGINNING) for store in stores * 5)
    )
    slots = sorted(slot for answer in answers for slot in answer.slots)
    assert len(slots) == 30
    gaps = {after - before for before, after in pairwise(slots)}
    assert min(gaps) >= Rate.of(7).interval


async def test_a_refusal_on_one_node_is_known_to_the_others_within_a_second(
    nodes: list[Node],
) -> None:
    first, second, third = nodes
    turn = await second.turns.take(KEY, patience=10)
    turn = await first.turns.take(KEY, patience=10)
    await first.turns.refused(turn, Throttled("too many", status=429, retry_after=600))
    second.steady.ahead += SECOND + 1
    for node in (first, second, third):
        with pytest.raises(Throttled) as refused:
            await node.turns.take(KEY, patience=10)
        assert 500 < (refused.value.retry_after or 0) <= 601


async def test_slots_that_a_node_has_are_void_once_another_node_was_refused(
    nodes: list[Node],
) -> None:
    first, second, _ = nodes
    turn = await first.turns.take(KEY, patience=10)
    crowd = [asyncio.create_task(second.turns.take(KEY, patience=10)) for _ in range(7)]
    await asyncio.wait(crowd, return_when=asyncio.FIRST_COMPLETED)
    await first.turns.refused(turn, Throttled("too many", status=429, retry_after=600))
    second.steady.ahead += SECOND + 1
    results = await asyncio.gather(*crowd, return_exceptions=True)
    assert isinstance(results[-1], Throttled)
    assert (results[-1].retry_after or 0) > 500


async def test_one_node_alone_probes_a_ban_and_opens_the_account_for_all(
    nodes: list[Node],
) -> None:
    await nodes[0].turns.refused(
        await nodes[0].turns.take(KEY, patience=5), Throttled("an HTML page", status=403)
    )
    await nodes[0].store.write(allowances.change, KEY, partial(earlier, by=PROBE_EVERY), now=0)
    for node in nodes:
        node.steady.ahead += 2 * PROBE_EVERY
    results = await asyncio.gather(
        *(node.turns.take(KEY, patience=5) for node in nodes), return_exceptions=True
    )
    (probing,) = [node for node, result in zip(nodes, results, strict=True) if not isinstance(result, BaseException)]  # fmt: skip
    (probe,) = [result for result in results if not isinstance(result, BaseException)]
    assert probe.probe
    await probing.turns.answered(probe)
    for node in nodes:
        node.steady.ahead += 2 * PROBE_EVERY
        turn = await node.turns.take(KEY, patience=10)
        assert not turn.probe


async def test_the_clock_is_the_databases_own_where_it_has_one(store: Store) -> None:
    ask = partial(reserve, ask=Ask(patience=0), rate=Rate.of(7))
    answer = await store.write(allowances.change, KEY, ask, now=BEGINNING)
    row, now = await store.read(allowances.load, KEY, now=BEGINNING + 5)
    assert isinstance(answer, Grant)
    assert row == AllowanceRow(next_at=answer.now + Rate.of(7).interval)
    if isinstance(store, SqliteStore):
        assert (answer.now, now) == (BEGINNING, BEGINNING + 5)
    else:
        assert abs(now - SystemClock().now()) < 60 * SECOND
        assert answer.now <= now


async def test_a_key_that_nobody_used_has_nothing_to_load(store: Store) -> None:
    with pytest.raises(LookupError):
        await store.read(allowances.load, "nobody", now=0)


def earlier(row: AllowanceRow, now: int, *, by: int) -> tuple[AllowanceRow, int]:
    """As if so much time had passed since the account was closed."""
    return replace(row, closed_until=row.closed_until - by), now
