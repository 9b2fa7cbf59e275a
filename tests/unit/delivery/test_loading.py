"""What the courier reads and when: a full memory blocks nobody, nothing is read that was given away."""

import asyncio
from typing import Any

from sqlalchemy import exc

from chatbridge import errors
from chatbridge.delivery.courier import Receipt
from chatbridge.delivery.recorder import UNRECORDED
from chatbridge.store import pending
from chatbridge.store.entries import Entry
from chatbridge.store.partitions import EVERYTHING, partition_of
from tests.unit.delivery.depot import Depot, draft


async def test_conversations_that_wait_leave_room_for_others(depot: Depot) -> None:
    depot.clock.stand_still()

    async def answer(entry: Entry) -> None:
        if entry.external_id != "healthy":
            raise errors.NotSent("no route")

    depot.amojo.answer = answer
    courier = await depot.courier(window=4)
    courier.offer(await depot.accept(*(draft(f"m-{n}", f"c-{n}") for n in range(4))))

    async def all_failed() -> bool:
        return len(depot.outcomes) == 4

    await depot.until(all_failed)
    courier.offer(await depot.accept(draft("m-10", "healthy")))
    await depot.until(depot.amojo_took_something)


async def blocked_behind_a_long_lane(depot: Depot) -> asyncio.Event:
    """A hundred conversations hold memory while a long one is refilled lane-wise, in front of the loader's cursor."""
    let_go = asyncio.Event()

    async def answer(entry: Entry) -> None:
        if entry.external_id != "long":
            await let_go.wait()

    depot.amojo.answer = answer
    others = [draft(f"b-{number}", f"c-{number}") for number in range(100)]
    await depot.accept(*others, *(draft(f"m-{number:03}", "long") for number in range(450)))
    return let_go


async def test_nothing_is_sent_twice_however_lanes_and_loader_meet(depot: Depot) -> None:
    let_go = await blocked_behind_a_long_lane(depot)
    courier = await depot.courier(window=50, at_once=200)
    await depot.until(depot.amojo_took_something)
    courier.offer(await depot.accept(*(draft(f"n-{number}", "long") for number in range(100))))
    let_go.set()
    await depot.drained()
    await courier.stop(grace=1)
    assert len(depot.amojo.took()) == 650
    long = depot.amojo.by_conversation()["long"]
    assert long == [f"m-{n:03}" for n in range(450)] + [f"n-{n}" for n in range(100)]


async def test_what_a_reading_delivered_before_it_was_offered_is_not_sent_again(
    depot: Depot,
) -> None:
    entries = await depot.accept(*(draft(f"m-{n}", f"c-{n % 2}") for n in range(6)))
    courier = await depot.courier()
    await depot.drained()
    courier.offer(entries)
    courier.offer(await depot.accept(draft("n-0", "c-0"), draft("n-1", "c-1")))
    await depot.drained()
    assert depot.amojo.by_conversation() == {
        "c-0": ["m-0", "m-2", "m-4", "n-0"],
        "c-1": ["m-1", "m-3", "m-5", "n-1"],
    }


async def test_what_a_reading_brought_before_it_was_offered_is_not_read_again(
    depot: Depot,
) -> None:
    depot.clock.stand_still()
    read, gate = depot.store.read, asyncio.Event()

    async def slow(unit: Any, *args: Any, **kwargs: Any) -> Any:
        found = await read(unit, *args, **kwargs)
        if found and gate.is_set():
            await depot.until(all_are_taken)
        return found

    async def all_are_taken() -> bool:
        return len(depot.amojo.taken) == 6

    async def answer(entry: Entry) -> None:
        depot.store.changed.set()
        await gate.wait()
        if entry.message_id == "m-5":
            while not await depot.clock.is_quiet():  # a page may be read
                pass

    async def is_under_way() -> bool:
        return bool(depot.amojo.asked)

    depot.store.read, depot.amojo.answer = slow, answer  # type: ignore[method-assign]
    entries = await depot.accept(*(draft(f"m-{n}") for n in range(6)))
    courier = await depot.courier(window=4)
    await depot.until(is_under_way)
    courier.offer(entries)  # memory is full, and knows them
    gate.set()
    await depot.drained()
    await depot.clock.is_quiet()
    assert depot.amojo.took() == [f"m-{n}" for n in range(6)]


async def test_a_reading_does_not_overtake_what_another_node_wrote(depot: Depot) -> None:
    depot.store.shared = True
    gate = asyncio.Event()

    async def answer(entry: Entry) -> None:
        if entry.external_id in {"c-1", "c-2"}:
            await gate.wait()

    depot.amojo.answer = answer
    courier = await depot.courier(window=2)
    await depot.until(depot.is_empty)
    courier.offer(await depot.accept(draft("m-1", "c-1"), draft("m-2", "c-2")))
    (theirs,) = await depot.accept(draft("theirs", "c-9"))
    crowded, _ = await depot.accept(draft("m-3", "c-3"), draft("ours", "c-9"))
    courier.offer([crowded])  # memory is full: a reading begins behind what they wrote
    gate.set()
    await depot.drained_but(theirs)
    courier.look_up([theirs.lane])
    await depot.drained()
    assert depot.amojo.by_conversation()["c-9"] == ["theirs", "ours"]


async def test_what_a_refill_delivered_before_it_was_offered_is_not_sent_again(
    depot: Depot,
) -> None:
    courier = await depot.courier()
    courier.offer(await depot.accept(draft("first", "c-9")))
    await depot.drained()
    entries = await depot.accept(*(draft(f"m-{n}") for n in range(3)))
    courier.look_up([entries[0].lane])
    await depot.drained()
    courier.offer(entries)
    courier.offer(await depot.accept(draft("n-0")))
    await depot.drained()
    assert depot.amojo.by_conversation()["c-1"] == ["m-0", "m-1", "m-2", "n-0"]


async def test_what_is_accepted_while_the_last_page_is_read_is_read_too(depot: Depot) -> None:
    read, late = depot.store.read, [draft("m-late", "c-2"), draft("m-later", "c-3")]

    async def crossing(unit: Any, *args: Any, **kwargs: Any) -> Any:
        found = await read(unit, *args, **kwargs)
        if unit is pending.load_after and late:
            courier.offer(await depot.accept(late.pop(0)))
        return found

    depot.store.read = crossing  # type: ignore[method-assign]
    await depot.accept(draft("m-1"))
    courier = await depot.courier(window=4)  # so small that no destination has a share of its own
    await depot.drained()
    assert depot.amojo.took() == ["m-1", "m-late", "m-later"]


async def test_a_conversation_that_another_node_has_is_not_delivered_here(depot: Depot) -> None:
    courier = await depot.courier()
    (mine,) = await depot.accept(draft("m-1", "c-1"))
    courier.offer([mine])
    await depot.drained()
    depot.own(courier, {partition_of(mine.lane)})
    theirs, second = await depot.accept(draft("m-2", "c-2"), draft("m-3", "c-1"))
    courier.offer([theirs, second])
    courier.look_up([theirs.lane])
    courier.look_up([theirs.lane], again=True)

    async def mine_are_through() -> bool:
        return await depot.pending() == [theirs]

    await depot.until(mine_are_through)
    assert depot.amojo.took() == ["m-1", "m-3"]
    depot.own(courier, EVERYTHING)
    await depot.drained()
    assert depot.amojo.took() == ["m-1", "m-3", "m-2"]


async def test_the_loader_comes_to_rest(depot: Depot) -> None:
    let_go = await blocked_behind_a_long_lane(depot)
    reads = 0
    read = depot.store.read

    async def counted(unit: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal reads
        reads += unit is pending.load_after
        return await read(unit, *args, **kwargs)

    depot.store.read = counted  # type: ignore[method-assign]
    courier = await depot.courier(window=50, at_once=200)
    await depot.until(depot.amojo_took_something)
    courier.offer(await depot.accept(draft("n-0", "long")))
    let_go.set()
    await depot.drained()
    await courier.stop(grace=1)
    assert reads < 10


async def test_one_outcome_that_cannot_be_stored_takes_no_other_with_it(depot: Depot) -> None:
    """As PostgreSQL refuses a NUL or a text that is too long. It is recorded without the words at fault."""
    write = depot.store.write

    async def choosy(unit: Any, *args: Any, **kwargs: Any) -> Any:
        if unit in {pending.settle, pending.settle_delivered} and any(
            "\0" in (outcome.far_id, *outcome.names) for outcome in args[0]
        ):
            raise exc.DataError("UPDATE", {}, ValueError("invalid byte sequence"))
        return await write(unit, *args, **kwargs)

    async def answer(entry: Entry) -> Receipt:
        far_id = "\0" if entry.message_id == "m-1" else "amo"
        return Receipt(far_id=far_id, names=(far_id,))

    depot.store.write = choosy  # type: ignore[method-assign]
    depot.amojo.answer = answer
    entries = await depot.accept(*(draft(f"m-{number}", f"c-{number}") for number in range(5)))
    await depot.courier()
    await depot.drained()
    recorded = [await depot.attempts(entry) for entry in entries]
    assert [rows[0][3] for rows in recorded] == ["amo", None, "amo", "amo", "amo"]
    assert len(depot.amojo.took()) == 5


async def test_attempts_do_not_run_ahead_of_what_is_recorded(depot: Depot) -> None:
    """The database takes nothing more: what was sent and is not recorded would be sent again after a crash."""
    at_once = 16
    await depot.accept(*(draft(f"m-{n:04}", f"c-{n % 50}") for n in range(3_000)))
    depot.store.failures[pending.settle] = 40
    sent_meanwhile: list[int] = []
    record = depot.store.write

    async def watched(unit: Any, *args: Any, **kwargs: Any) -> Any:
        if unit in {pending.settle, pending.settle_delivered}:
            sent_meanwhile.append(len(depot.amojo.taken) - recorded)
        return await record(unit, *args, **kwargs)

    recorded = 0
    depot.store.write = watched  # type: ignore[method-assign]
    await depot.courier(window=5_000, at_once=at_once)

    async def all_failures_are_over() -> bool:
        return depot.store.failures[pending.settle] == 0

    await depot.until(all_failures_are_over)
    assert max(sent_meanwhile) <= UNRECORDED + at_once
    await depot.drained()
    assert len(depot.amojo.taken) == 3_000
