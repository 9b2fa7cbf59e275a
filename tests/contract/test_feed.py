"""Feeds on both databases: positions without gaps in the order of commits, each event once, and readers who miss none."""

import asyncio
import random

import pytest

from chatbridge.store import feed
from chatbridge.store.engine import Store, open_store
from chatbridge.store.feed import Appending, Ends
from tests.fakes import BEGINNING, SECONDS


def event(name: str, *, of: str = "msgr_1", topic: str = "c-1") -> Appending:
    return Appending(of, topic, name, name.encode())


async def append(store: Store, *events: Appending, now: int = BEGINNING) -> list[int]:
    return await store.write(feed.append, events, now)


async def bodies(
    store: Store, after: int = 0, *, of: str = "msgr_1", topic: str | None = None
) -> list[bytes]:
    return [kept.body for kept in await store.read(feed.read_after, of, after, 1_000, topic)]


async def test_each_messenger_has_positions_of_its_own(store: Store) -> None:
    answers = await append(store, event("a"), event("b", of="msgr_2"), event("c"))
    assert answers == [1, 1, 2]
    assert await append(store, event("d", of="msgr_2"), event("e")) == [
        2,
        3,
    ]
    assert await bodies(store) == [b"a", b"c", b"e"]
    assert await bodies(store, of="msgr_2") == [b"b", b"d"]
    assert await bodies(store, of="msgr_3") == []


async def test_a_repeat_keeps_its_place_and_takes_no_other(store: Store) -> None:
    await append(store, event("a"), event("b"))
    repeated = Appending("msgr_1", "c-1", "a", b"another body")
    answers = await append(store, event("c"), repeated, event("c"), event("d"))
    assert answers == [
        3,
        1,
        3,
        4,
    ]
    assert await bodies(store) == [b"a", b"b", b"c", b"d"]
    assert await append(store, event("a", of="msgr_2")) == [1]


async def test_a_reader_goes_on_where_it_was(store: Store) -> None:
    names = [str(number) for number in range(10)]
    await append(store, *(event(name, topic=f"c-{int(name) % 2}") for name in names))
    page = await store.read(feed.read_after, "msgr_1", 3, 4)
    assert [kept.position for kept in page] == [4, 5, 6, 7]
    assert {kept.created_at for kept in page} == {BEGINNING}
    assert await bodies(store, 4, topic="c-1") == [b"5", b"7", b"9"]
    newest = await store.read(feed.read_before, "msgr_1", 9, 3, "c-0")
    assert [(kept.position, kept.topic, kept.body) for kept in newest] == [
        (3, "c-0", b"2"),
        (5, "c-0", b"4"),
        (7, "c-0", b"6"),
    ]
    assert await store.read(feed.read_before, "msgr_1", 9, 3, "c-2") == []


async def test_old_events_go_in_small_steps_and_positions_go_on(store: Store) -> None:
    assert await store.read(feed.ends_of, "msgr_1") == Ends(1, 0)
    for number in range(5):
        of = f"msgr_{number % 2}"
        await append(store, event(f"{number}", of=of), now=BEGINNING + number)
    assert await store.read(feed.ends_of, "msgr_0") == Ends(1, 3)
    steps = [await store.write(feed.prune, BEGINNING + 4, 3) for _ in range(3)]
    assert steps == [3, 1, 0]
    assert await store.read(feed.ends_of, "msgr_0") == Ends(3, 3)
    assert await store.read(feed.ends_of, "msgr_1") == Ends(3, 2)
    assert await append(store, event("5", of="msgr_1")) == [3]


async def test_what_was_not_fetched_is_known(store: Store) -> None:
    await append(store, event("a"), event("b"), event("c", of="msgr_2"))
    keys = ["a", "b", "c", "never appended"]
    assert await store.read(feed.find_unfetched, keys) == set(keys[:3])
    await store.write(feed.note_fetched, {"msgr_1": 1, "msgr_2": 1, "msgr_3": 9})
    await store.write(feed.note_fetched, {"msgr_1": 0})
    assert await store.read(feed.find_unfetched, keys) == {keys[1]}


async def test_batches_that_name_the_same_messengers_do_not_block_each_other(store: Store) -> None:
    messengers = [f"msgr_{number}" for number in range(6)]
    drawn = random.Random(7)

    def batch(number: int) -> list[Appending]:
        chosen = drawn.sample(messengers, 4)
        return [event(f"{number} {of}", of=of) for of in chosen]

    async with asyncio.timeout(SECONDS):
        answers = await asyncio.gather(*(append(store, *batch(n)) for n in range(60)))
    assert sum(map(len, answers)) == 240
    kept = [await store.read(feed.read_after, of, 0, 1_000) for of in messengers]
    assert sum(map(len, kept)) == 240
    for page in kept:
        assert [one.position for one in page] == list(range(1, len(page) + 1))


async def follow(node: Store, done: asyncio.Event) -> list[int]:
    """Every position, read with a cursor until there is nothing more to come."""
    seen = [0]
    while True:
        ended = done.is_set()
        page = await node.read(feed.read_after, "msgr_1", seen[-1], 7)
        seen += [kept.position for kept in page]
        if ended and not page:
            return seen[1:]


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_reader_never_skips_what_writers_of_several_nodes_append(
    store: Store, store_url: str
) -> None:
    """Each writer's transaction ends when it likes; what a reader has not seen lies after its cursor."""
    other, done, each = open_store(store_url), asyncio.Event(), 20
    await other.start()

    async def write(writer: int) -> None:
        for number in range(each):
            await append((store, other)[writer % 2], event(f"{writer} {number}"))

    try:
        async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
            readers = [group.create_task(follow(node, done)) for node in (store, other, store)]
            await asyncio.gather(*map(write, range(12)))
            done.set()
    finally:
        await other.close()
    assert [reader.result() for reader in readers] == [list(range(1, 12 * each + 1))] * 3
