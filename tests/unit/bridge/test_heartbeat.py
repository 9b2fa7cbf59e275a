"""When a node says that it takes callbacks, and which breaches of its own it tells."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatbridge.bridge.heartbeat import EVERY, PATIENCE, Heartbeat
from chatbridge.store import recoveries, schema
from chatbridge.store.engine import Store, open_store
from chatbridge.store.recoveries import Reason, Recovery
from tests.fakes import FakeClock

SECOND = 1_000_000


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/heartbeat.db", synchronous="normal")
    await store.start()
    await store.write(schema.metadata.create_all)
    yield store
    await store.close()


async def found(store: Store) -> list[Recovery]:
    return await store.read(recoveries.list_recoveries, before=None, limit=10)


async def begun(store: Store, clock: FakeClock) -> Heartbeat:
    heartbeat = Heartbeat(store=store, clock=clock, tolerance=3)
    await heartbeat.start()
    return heartbeat


async def after(clock: FakeClock, seconds: float) -> None:
    """Let that much time pass, and whoever wakes then do what it has to do."""
    await clock.somebody_sleeps()
    clock.advance(seconds)
    await clock.somebody_sleeps()


async def test_between_two_lives_of_a_server_nobody_took_callbacks(
    store: Store, clock: FakeClock
) -> None:
    first = await begun(store, clock)
    for _ in range(5):
        await after(clock, EVERY)
    await first.stop()
    last = clock.now()
    assert await found(store) == [], "nothing was missed before there was anybody"
    clock.advance(60)
    told: list[str] = []
    second = Heartbeat(store=store, clock=clock, tolerance=3)
    second.tell(lambda: told.append("found"))
    await second.start()
    await second.stop()
    (recovery,) = await found(store)
    assert (recovery.from_at, recovery.to_at) == (last, clock.now())
    assert recovery.reason == Reason.DOWN
    assert told == ["found"]


async def test_a_short_restart_is_looked_over(store: Store, clock: FakeClock) -> None:
    await (await begun(store, clock)).stop()
    clock.advance(3)
    await (await begun(store, clock)).stop()
    assert await found(store) == []


async def test_a_server_that_stood_still_says_so(store: Store, clock: FakeClock) -> None:
    heartbeat = await begun(store, clock)
    await after(clock, EVERY + PATIENCE - 0.1)
    assert await found(store) == []
    stood = clock.now()
    await after(clock, EVERY + PATIENCE)
    await heartbeat.stop()
    (recovery,) = await found(store)
    assert (recovery.from_at, recovery.to_at) == (stood, clock.now())
    assert recovery.reason == Reason.STALLED


async def test_a_callback_that_was_refused_is_looked_for(store: Store, clock: FakeClock) -> None:
    heartbeat = await begun(store, clock)
    heartbeat.refused()
    clock.advance(1)
    heartbeat.refused()
    await heartbeat.stop()
    (recovery,) = await found(store)
    assert recovery.reason == Reason.REFUSED
    assert recovery.to_at - recovery.from_at == (PATIENCE + 1) * SECOND


async def test_what_cannot_be_told_now_is_told_later(store: Store, clock: FakeClock) -> None:
    heartbeat = await begun(store, clock)
    heartbeat.refused()
    await store.write(schema.recoveries.drop)
    await heartbeat.stop()
    await store.write(schema.recoveries.create)
    await heartbeat.start()
    await heartbeat.stop()
    assert [recovery.reason for recovery in await found(store)] == [Reason.REFUSED]
