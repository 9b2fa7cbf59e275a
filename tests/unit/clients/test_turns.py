"""Turns on one node, on a clock that jumps: what they cost, whom they refuse, what closing means here."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chatbridge.clients.allowance import PROBE_EVERY, SECOND, Closing, Rate, close
from chatbridge.clients.turns import Turns
from chatbridge.clock import Clock
from chatbridge.errors import StoreUnavailable, Throttled
from chatbridge.store import allowances, migrations
from chatbridge.store.allowances import AllowanceRow
from chatbridge.store.engine import Store, open_store
from tests.fakes import FakeClock
from tests.unit.clock import JumpingClock

KEY = "account-1"
SEVEN = Rate.of(7)


class Asked:
    """A database that counts what it is asked."""

    def __init__(self, store: Store) -> None:
        self.store, self.writes, self.reads = store, 0, 0

    async def write(self, *unit: Any, **values: Any) -> Any:
        self.writes += 1
        return await self.store.write(*unit, **values)

    async def read(self, *unit: Any, **values: Any) -> Any:
        self.reads += 1
        return await self.store.read(*unit, **values)


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    store = open_store(f"sqlite:///{tmp_path}/turns.db", synchronous="normal")
    await store.start()
    try:
        await store.write(migrations.bring_up_to_date)
        yield Asked(store)
    finally:
        await store.close()


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
async def turns(asked: Asked, clock: JumpingClock) -> AsyncIterator[Turns]:
    turns = make_turns(asked, clock)
    yield turns
    await turns.stop()


def make_turns(asked: Asked, clock: Clock) -> Turns:
    return Turns(asked, rate=SEVEN, clock=clock, steady=clock)


async def test_a_busy_account_costs_two_questions_a_second(
    turns: Turns, asked: Asked, clock: JumpingClock
) -> None:
    began = clock.now()
    for _ in range(70):
        await turns.take(KEY, patience=1)
    assert clock.now() - began == 69 * SEVEN.interval
    assert asked.writes + asked.reads <= 2 * 10 + 4


async def test_a_lonely_call_takes_no_more_than_its_slot(turns: Turns, clock: JumpingClock) -> None:
    for _ in range(5):
        await turns.take(KEY, patience=0)
        await clock.sleep(20)
    await turns.take(KEY, patience=0)
    other = make_turns(turns._store, clock)  # noqa: SLF001 - another node
    began = clock.now()
    await other.take(KEY, patience=1)
    assert clock.now() - began == SEVEN.interval


async def test_turns_come_evenly_and_in_the_order_of_the_callers(asked: Asked) -> None:
    clock = FakeClock()
    turns = make_turns(asked, clock)
    order: list[tuple[int, int]] = []

    async def call(number: int) -> None:
        await turns.take(KEY, patience=500)
        order.append((number, clock.now()))

    async with asyncio.TaskGroup() as group:
        for number in range(7):
            group.create_task(call(number))
        while len(order) < 7:
            await clock.somebody_sleeps()
            clock.advance(SEVEN.interval / SECOND / 2)
            for _ in range(20):
                await asyncio.sleep(0)
    assert [number for number, _ in order] == list(range(7))
    assert order[-1][1] - order[0][1] <= 7 * SEVEN.interval
    assert asked.writes == 1


async def test_who_is_in_a_hurry_is_refused_at_once_and_told_how_long_it_would_be(
    asked: Asked,
) -> None:
    turns = make_turns(asked, FakeClock())
    crowd = [asyncio.create_task(turns.take(KEY, patience=0.5)) for _ in range(20)]
    refused = await asyncio.gather(*crowd[4:], return_exceptions=True)
    assert {type(error) for error in refused} == {Throttled}
    waits = [error.retry_after or 0 for error in refused if isinstance(error, Throttled)]
    assert waits == sorted(waits)
    assert waits[0] == 4 * SEVEN.interval / SECOND
    assert [caller.done() for caller in crowd[:4]] == [True, False, False, False]
    for caller in crowd[1:4]:
        caller.cancel()


async def test_accounts_do_not_wait_for_each_other(turns: Turns, clock: JumpingClock) -> None:
    began = clock.now()
    for number in range(30):
        await turns.take(f"account-{number}", patience=0)
    assert clock.now() == began


async def test_a_refusal_closes_the_account_here_at_once(turns: Turns, clock: JumpingClock) -> None:
    turn, other = await turns.take(KEY, patience=0), await turns.take(KEY, patience=1)
    assert turns.holds(other)
    await turns.refused(turn, Throttled("too many", status=429, retry_after=30))
    assert not turns.holds(other)
    with pytest.raises(Throttled) as refused:
        await turns.take(KEY, patience=29)
    assert refused.value.retry_after == 30
    began = clock.now()
    await turns.take(KEY, patience=31)
    assert clock.now() - began == 30 * SECOND


async def test_while_the_refusal_is_being_written_nothing_holds_any_more(turns: Turns) -> None:
    turn, other = await turns.take(KEY, patience=0), await turns.take(KEY, patience=1)
    error = Throttled("too many", status=429, retry_after=30)
    writing = asyncio.create_task(turns.refused(turn, error))
    await asyncio.sleep(0)
    assert not writing.done()
    assert not turns.holds(other)
    await writing


async def test_a_slot_from_long_ago_is_void_if_another_node_was_refused_since(asked: Asked) -> None:
    clock = FakeClock()
    turns = make_turns(asked, clock)
    await asked.write(allowances.change, KEY, busy, now=clock.now())
    waiting = asyncio.create_task(turns.take(KEY, patience=10))
    await clock.somebody_sleeps()
    closing = partial(close, closing=Closing(pause=600 * SECOND, banned=False))
    await asked.write(allowances.change, KEY, closing, now=clock.now())
    clock.advance(3)
    with pytest.raises(Throttled) as refused:
        await waiting
    assert refused.value.retry_after == 597


def busy(row: AllowanceRow, now: int) -> tuple[AllowanceRow, None]:
    """As if others had taken the slots of three seconds."""
    return replace(row, next_at=now + 3 * SECOND), None


async def test_nobody_asks_the_database_about_an_account_that_is_known_to_be_closed(
    turns: Turns, asked: Asked
) -> None:
    turn = await turns.take(KEY, patience=0)
    await turns.refused(turn, Throttled("banned", status=403))
    before = asked.writes + asked.reads
    for _ in range(100):
        with pytest.raises(Throttled):
            await turns.take(KEY, patience=10)
    assert asked.writes + asked.reads == before


async def test_a_ban_is_probed_once_a_minute_until_it_ends(
    turns: Turns, clock: JumpingClock
) -> None:
    banned = Throttled("an HTML page", status=403)
    await turns.refused(await turns.take(KEY, patience=0), banned)
    for _ in range(3):
        began = clock.now()
        probe = await turns.take(KEY, patience=120)
        assert probe.probe
        assert PROBE_EVERY <= clock.now() - began <= PROBE_EVERY + SECOND
        await turns.refused(probe, banned)
    probe = await turns.take(KEY, patience=120)
    with pytest.raises(Throttled):
        await turns.take(KEY, patience=10)
    await turns.answered(probe)
    for _ in range(5):
        assert not (await turns.take(KEY, patience=1)).probe


async def test_a_turn_does_not_hold_for_ever(turns: Turns, clock: JumpingClock) -> None:
    turn = await turns.take(KEY, patience=0)
    assert turns.holds(turn)
    await clock.sleep(0.2)
    assert not turns.holds(turn)


async def test_those_who_went_away_take_no_slot(turns: Turns, clock: JumpingClock) -> None:
    crowd = [asyncio.create_task(turns.take(KEY, patience=100)) for _ in range(30)]
    await asyncio.sleep(0)
    for caller in crowd:
        caller.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    began = clock.now()
    await turns.take(KEY, patience=2)
    assert clock.now() - began <= SECOND


async def test_without_a_database_callers_are_told_so(turns: Turns, asked: Asked) -> None:
    await asked.store.close()
    results = await asyncio.gather(
        *(turns.take(KEY, patience=1) for _ in range(3)), return_exceptions=True
    )
    assert [type(result) for result in results] == [StoreUnavailable] * 3


async def test_whoever_waits_when_it_stops_is_cancelled(turns: Turns, clock: JumpingClock) -> None:
    turn = await turns.take(KEY, patience=0)
    await turns.refused(turn, Throttled("too many", status=429, retry_after=30))
    clock.stand_still()
    waiting = asyncio.create_task(turns.take(KEY, patience=60))
    await asyncio.sleep(0)
    await turns.stop()
    with pytest.raises(asyncio.CancelledError):
        await waiting
