"""What the sweep has looked up, and what it leaves alone."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert

from chatbridge import errors
from chatbridge.delivery.sweep import SECONDS_BETWEEN
from chatbridge.store import pending, schema
from chatbridge.store.entries import Entry
from chatbridge.store.partitions import partition_of
from tests.unit.delivery.depot import Depot, draft
from tests.unit.factories import NOW, SECOND


@pytest.fixture
def looks(depot: Depot) -> list[tuple[Any, Any]]:
    """Each unit that has read, with its first argument."""
    found: list[tuple[Any, Any]] = []
    read = depot.store.read

    async def noting(unit: Any, *args: Any, **kwargs: Any) -> Any:
        found.append((unit, args[0]))
        return await read(unit, *args, **kwargs)

    depot.store.read = noting  # type: ignore[method-assign]
    return found


def looked_up(looks: list[tuple[Any, Any]]) -> set[int]:
    """Lanes that were read one by one."""
    return {lane for unit, lanes in looks if unit is pending.load_lanes for lane in lanes}


def hide(connection: Connection, entry: Entry) -> None:
    """Make an entry as invisible as it was before its transaction ended."""
    connection.execute(delete(schema.pending).where(schema.pending.c.id == entry.id))


def show(connection: Connection, entry: Entry) -> None:
    row = {
        "id": entry.id,
        "lane": entry.lane,
        "attempts": 0,
        "since": entry.since,
        "due_at": entry.due_at,
    }
    connection.execute(insert(schema.pending).values(row))


async def test_lanes_that_wait_for_a_retry_are_not_read_again(
    depot: Depot, looks: list[tuple[Any, Any]]
) -> None:
    depot.clock.stand_still()

    async def answer(entry: Entry) -> None:
        if entry.external_id != "lost":
            raise errors.NotSent("no route")

    async def all_failed() -> bool:
        return len(depot.outcomes) == 4

    depot.amojo.answer = answer
    await depot.accept(*(draft(f"m-{n}", f"c-{n % 4}") for n in range(8)))
    courier = await depot.courier()
    await depot.until(all_failed)
    (lost,) = await depot.accept(draft("m-lost", "lost"))
    await depot.sweep(courier)
    await depot.until(depot.amojo_took_something)
    await depot.sweep(courier)
    assert depot.amojo.took() == ["m-lost"]
    assert looked_up(looks) == {lost.lane}


async def test_what_a_reading_has_still_before_it_is_left_to_it(
    depot: Depot, looks: list[tuple[Any, Any]]
) -> None:
    """Else a backlog would fill the memory by way of its lanes."""
    let_go = asyncio.Event()

    async def answer(_: Entry) -> None:
        depot.store.changed.set()
        await let_go.wait()

    async def memory_is_full() -> bool:
        return courier.in_memory >= 50

    depot.amojo.answer = answer
    late, *_ = await depot.accept(*(draft(f"m-{n:03}", f"c-{n}") for n in range(300)))
    await depot.store.write(hide, late)
    depot.clock.stand_still()
    courier = await depot.courier(window=50)
    await depot.until(memory_is_full)
    await depot.sweep(courier)
    assert looked_up(looks) == set()

    await depot.store.write(show, late)
    await depot.sweep(courier)
    let_go.set()
    await depot.drained()
    took = depot.amojo.took()
    assert sorted(took) == [f"m-{n:03}" for n in range(300)]
    assert took.index("m-000") < 250, "it waited for the reading to end"


async def test_lanes_of_others_are_theirs_to_find(
    depot: Depot, looks: list[tuple[Any, Any]]
) -> None:
    (first,) = await depot.accept(draft("m-0", "c-1"))
    courier = await depot.courier()
    await depot.drained()
    depot.own(courier, {partition_of(first.lane)})
    _, theirs = await depot.accept(draft("m-1", "c-1"), draft("m-2", "c-2"))
    await depot.sweep(courier)

    async def mine_is_through() -> bool:
        return await depot.pending() == [theirs]

    await depot.until(mine_is_through)
    await depot.sweep(courier)
    assert depot.amojo.took() == ["m-0", "m-1"]
    assert looked_up(looks) == {first.lane}


async def test_a_database_that_was_away_is_swept_the_next_time(depot: Depot) -> None:
    depot.store.shared = True
    await depot.accept(draft("m-0"))
    courier = await depot.courier()
    await depot.drained()
    depot.store.failures[pending.list_lanes] = 1

    async def has_failed() -> bool:
        return depot.store.failures[pending.list_lanes] == 0

    await depot.until(has_failed)
    await depot.accept(draft("m-1"))
    await depot.drained()
    assert courier.alive


async def test_one_process_alone_does_not_sweep(depot: Depot, looks: list[tuple[Any, Any]]) -> None:
    async def answer(_: Entry) -> None:
        if depot.clock.now() < NOW + 10 * SECONDS_BETWEEN * SECOND:
            raise errors.NotSent("no route")

    depot.amojo.answer = answer
    courier = await depot.courier()
    courier.offer(await depot.accept(draft("m-1")))
    await depot.drained()
    assert pending.list_lanes not in {unit for unit, _ in looks}
