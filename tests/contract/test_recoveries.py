"""Stretches in which callbacks may have been lost, on both databases: found once, gone on with, counted exactly."""

import asyncio
from functools import partial

import pytest
from sqlalchemy import Connection
from sqlalchemy.util import await_only

from chatbridge.errors import StoreUnavailable
from chatbridge.model import Direction, Link
from chatbridge.store import heartbeat, journal, passport, recoveries
from chatbridge.store.engine import Store
from chatbridge.store.recoveries import Active, Gap, Reason, Recovery, State
from tests.factories import make_draft
from tests.fakes import BEGINNING

SECOND = 1_000_000
NOW = BEGINNING + 1_000 * SECOND
GAP = Gap(BEGINNING, NOW, Reason.DOWN)


async def added(store: Store, gap: Gap = GAP) -> Recovery:
    return await store.write(recoveries.add, gap, now=NOW)


async def begin(store: Store, now: int, *, in_turn: bool = True) -> Recovery | None:
    """What a node finds that begins to take callbacks, when its turn has come."""
    begin = partial(heartbeat.begin, now=now, tolerance=3 * SECOND, in_turn=in_turn)
    while True:
        try:
            found = await store.write(begin)
        except StoreUnavailable:
            continue
        await store.write(heartbeat.beat, now=now)
        return found


async def test_what_nobody_proved_is_found_by_who_begins_next(store: Store) -> None:
    assert await begin(store, NOW) is None, "before the first one there was nobody"
    await store.write(heartbeat.beat, now=NOW + 10 * SECOND)
    await store.write(heartbeat.beat, now=NOW + 5 * SECOND)
    if store.shared:
        # The clock is the database's: nothing passes between these statements.
        assert await begin(store, NOW + 3600 * SECOND) is None
        return
    assert await begin(store, NOW + 13 * SECOND) is None
    found = await begin(store, NOW + 33 * SECOND)
    assert found is not None
    assert (found.from_at, found.to_at) == (NOW + 13 * SECOND, NOW + 33 * SECOND)


async def test_of_nodes_that_begin_together_one_finds_it(store: Store) -> None:
    await begin(store, NOW)
    if store.shared:
        await store.write(
            lambda connection: connection.exec_driver_sql(
                f"UPDATE heartbeats SET at = at - {60 * SECOND}"
            )
        )
    found = await asyncio.gather(*(begin(store, NOW + 60 * SECOND) for _ in range(4)))
    (gap,) = filter(None, found)
    assert gap.reason == Reason.DOWN
    assert 60 * SECOND <= gap.to_at - gap.from_at < 90 * SECOND
    assert gap.to_at == NOW + 60 * SECOND


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_what_a_node_that_hangs_has_begun_stands_in_nobodys_way(store: Store) -> None:
    await begin(store, NOW)
    back = f"UPDATE heartbeats SET at = at - {60 * SECOND}"
    await store.write(lambda connection: connection.exec_driver_sql(back))
    waiting, may_end = asyncio.Event(), asyncio.Event()

    def hang(connection: Connection) -> None:
        heartbeat.begin(connection, now=NOW, tolerance=3 * SECOND)
        waiting.set()
        await_only(may_end.wait())

    hanging = asyncio.create_task(store.write(hang))
    await waiting.wait()
    await store.write(heartbeat.beat, now=NOW)
    found = await begin(store, NOW + 60 * SECOND, in_turn=False)
    may_end.set()
    await hanging
    assert found is not None


async def test_stretches_that_wait_are_one(store: Store) -> None:
    first = await added(store)
    second = await added(store, Gap(NOW, NOW + SECOND, Reason.STALLED))
    assert second.id == first.id
    assert (second.from_at, second.to_at) == (BEGINNING, NOW + SECOND)
    asked = await added(store, Gap(BEGINNING, NOW, Reason.ASKED))
    assert asked.id != first.id, "who asks gets a recovery of their own"
    one = await added(store, Gap(BEGINNING, NOW, Reason.DOWN, "scope"))
    assert one.id not in {first.id, asked.id}


async def test_what_was_begun_is_gone_on_with_before_anything_else(store: Store) -> None:
    assert await store.read(recoveries.next_open) is None
    first = await added(store)
    await store.write(recoveries.begin, first.id)
    second = await added(store)
    assert second.id != first.id, "what has begun grows no more"
    found = await store.read(recoveries.next_open)
    assert found == first._replace(state=State.RUNNING)
    ended = await store.write(recoveries.end, first.id, conversations=3, failed=1, now=NOW + 5)
    assert (ended.state, ended.ended_at, ended.conversations) == (State.PARTIAL, NOW + 5, 3)
    assert await store.read(recoveries.next_open) == second
    done = await store.write(recoveries.end, second.id, conversations=3, failed=0, now=NOW + 6)
    assert done.state == State.DONE
    assert await store.read(recoveries.next_open) is None
    assert await store.read(recoveries.list_recoveries, before=None, limit=1) == [done]
    assert await store.read(recoveries.list_recoveries, before=done.id, limit=9) == [ended]


async def test_a_reply_that_was_missing_is_counted_once_and_says_so(
    store: Store, link: Link
) -> None:
    recovery = await added(store)
    replies = [
        make_draft(link, f"r-{n}", amojo="amo-1", direction=Direction.TO_MESSENGER)
        for n in range(3)
    ]
    await store.write(journal.accept, [replies[0]], NOW)
    marked = [
        make_draft(
            link, f"r-{n}", amojo="amo-1", direction=Direction.TO_MESSENGER, recovery=recovery.id
        )
        for n in range(3)
    ]
    for _ in range(2):
        await store.write(journal.accept, [*marked, replies[0]], NOW)
    (counted,) = await store.read(recoveries.list_recoveries, before=None, limit=9)
    assert counted.recovered == 2
    found = [await store.read(passport.find_passport, (draft.key,)) for draft in replies]
    assert [one is not None and one.recovered for one in found] == [False, True, True]


async def test_the_most_recently_active_come_first_each_once_on_a_page(
    store: Store, link: Link
) -> None:
    names = ["old", "a", "b", "a", "unknown", "c"]
    drafts = [
        make_draft(
            link,
            f"m-{number}",
            conversation=name,
            amojo=None if name == "unknown" else f"amo-{name}",
            received_at=BEGINNING + number * SECOND,
        )
        for number, name in enumerate(names)
    ]
    await store.write(journal.accept, drafts, NOW)

    async def active(before: int | None, limit: int) -> recoveries.Page:
        return await store.read(
            recoveries.list_active, before=before, since=BEGINNING + SECOND, limit=limit
        )

    whole = await active(None, 100)
    assert whole.first is None
    expected = [Active(link.id, name, f"amo-{name}") for name in ("c", "a", "b")]
    assert list(whole.active) == expected
    pages, before = [], None
    while True:
        page = await active(before, 2)
        pages.append([one.external_id for one in page.active])
        before = page.first
        if before is None:
            break
    assert pages == [["c"], ["a", "b"], ["a"], []]
