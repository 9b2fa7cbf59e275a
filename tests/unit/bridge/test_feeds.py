"""Feeds of one node: who is woken by what, what whispers leave behind, and what is noted of fetching."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatbridge.bridge.feed_news import words_of, words_of_whisper
from chatbridge.bridge.feed_retention import FeedRetention
from chatbridge.bridge.feeds import Feeds
from chatbridge.store import feed, migrations
from chatbridge.store.engine import Store, open_store
from tests.fakes import FakeClock

ME, OTHER = "node-1", "node-2"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/feeds.db", synchronous="normal")
    await store.start()
    await store.write(migrations.bring_up_to_date)
    yield store
    await store.close()


@pytest.fixture
def feeds(store: Store, clock: FakeClock) -> Feeds:
    return Feeds(store=store, clock=clock, new_id=lambda: ME)


async def is_woken(waiting: "asyncio.Task[list[bytes]]") -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return waiting.done()


async def test_whoever_listens_to_the_topic_or_to_all_is_woken(feeds: Feeds) -> None:
    with (
        feeds.listen("msgr_1", "c-1") as same,
        feeds.listen("msgr_1") as whole,
        feeds.listen("msgr_1", "c-2") as another,
        feeds.listen("msgr_2", "c-1") as somebody_elses,
    ):
        listeners = (same, whole, another, somebody_elses)
        waiting = [asyncio.create_task(listener.wait()) for listener in listeners]
        assert await feeds.append("msgr_1", "c-1", "a", b"{}") == 1
        woken = [await is_woken(each) for each in waiting]
        assert woken == [True, True, False, False]
        for each in waiting[2:]:
            each.cancel()


async def test_what_came_before_the_wait_wakes_too(feeds: Feeds) -> None:
    with feeds.listen("msgr_1") as listener:
        assert await feeds.read("msgr_1", 0, 10) == []
        await feeds.append("msgr_1", "", "a", b"{}")
        assert await listener.wait() == []
        assert [event.body for event in await feeds.read("msgr_1", 0, 10)] == [b"{}"]


async def test_other_nodes_are_heard_and_one_does_not_hear_itself(feeds: Feeds) -> None:
    with feeds.listen("msgr_1", "c-1") as listener:
        waiting = asyncio.create_task(listener.wait())
        for words in words_of(ME, [("msgr_1", "c-1")]):
            feeds.heard(words)
        assert not await is_woken(waiting)
        for words in words_of(OTHER, [("msgr_1", "c-2"), ("msgr_1", "c-1")]):
            feeds.heard(words)
        assert await waiting == []
        whisper = words_of_whisper(OTHER, ("msgr_1", "c-1"), b'{"a":1}')
        assert whisper is not None
        feeds.heard(whisper)
        assert await listener.wait() == [b'{"a":1}']
        feeds.missed()
        assert await listener.wait() == []


async def test_whispers_are_few_and_leave_nothing(feeds: Feeds) -> None:
    with feeds.listen("msgr_1", "c-1") as listener:
        for number in range(100):
            await feeds.whisper("msgr_1", "c-1", b"%d" % number)
        heard = await listener.wait()
        assert heard == [b"%d" % number for number in range(68, 100)], "the oldest are lost"
        await feeds.whisper("msgr_1", "c-1", b"x" * 9_000)
        await feeds.whisper("msgr_1", "c-1", b"short")
        assert await listener.wait() == [b"short"]
    assert await feeds.read("msgr_1", 0, 10) == []


async def test_the_newest_of_a_topic(feeds: Feeds) -> None:
    for number in range(6):
        await feeds.append("msgr_1", f"c-{number % 2}", str(number), b"%d" % number)
    newest = await feeds.newest("msgr_1", "c-1", 2)
    assert [event.body for event in newest] == [b"3", b"5"]
    before = await feeds.newest("msgr_1", "c-1", 2, before=newest[0].position)
    assert [event.body for event in before] == [b"1"]


async def test_what_was_fetched_is_noted_at_once_and_then_every_five_seconds(
    feeds: Feeds, store: Store, clock: FakeClock
) -> None:
    told: asyncio.Queue[list[str]] = asyncio.Queue()

    async def tell(keys: object) -> None:
        assert isinstance(keys, list)
        told.put_nowait(keys)

    feeds.tell(tell)
    for name in "abcd":
        await feeds.append("msgr_1", "c-1", name, b"{}")
    feeds.start()
    feeds.fetched("msgr_1", 1)
    assert await told.get() == ["a"]
    feeds.fetched("msgr_1", 3)
    feeds.fetched("msgr_1", 2)
    await clock.somebody_sleeps()
    assert await store.read(feed.find_unfetched, ["a", "b", "c", "d"]) == {"b", "c", "d"}
    clock.advance(5)
    assert sorted(await told.get()) == ["b", "c"]
    feeds.fetched("msgr_1", 4)
    await feeds.stop()
    assert await told.get() == ["d"], "the last is noted at the end"


async def test_events_go_after_their_days_and_only_where_the_first_partition_is(
    feeds: Feeds, store: Store, clock: FakeClock
) -> None:
    mine: set[int] = set()
    retention = FeedRetention(store=store, clock=clock, days=2, partitions=lambda: frozenset(mine))
    await feeds.append("msgr_1", "c-1", "old", b"old")
    clock.advance(24 * 3600)
    await feeds.append("msgr_1", "c-1", "new", b"new")
    clock.advance(24 * 3600 + 1)
    await retention.remove_all()
    assert len(await feeds.read("msgr_1", 0, 10)) == 2
    mine.add(0)
    await retention.remove_all()
    assert [event.body for event in await feeds.read("msgr_1", 0, 10)] == [b"new"]
