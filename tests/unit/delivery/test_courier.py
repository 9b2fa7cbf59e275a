"""The courier over a real database, with far sides that fail as they are told to."""

import asyncio
import random
from collections import Counter
from itertools import pairwise

import pytest

from chatbridge import errors
from chatbridge.delivery.courier import Receipt
from chatbridge.delivery.lanes import LANE_LIMIT
from chatbridge.errors import DeliveryError
from chatbridge.store import pending
from chatbridge.store.entries import Entry, OutcomeKind
from tests.unit.delivery.depot import Depot, draft, reply
from tests.unit.factories import SECOND

MINUTE = 60


def failing(times: int, error: Exception, *, only: str | None = None) -> object:
    """Return an answer that fails the first times it is asked, for one message or for all."""
    left = Counter[int]()

    async def answer(entry: Entry) -> None:
        if only in {None, entry.message_id} and left[entry.id] < times:
            left[entry.id] += 1
            raise error

    return answer


# --- one entry ----------------------------------------------------------------------------------


async def test_what_was_accepted_before_the_start_is_delivered(depot: Depot) -> None:
    (entry,) = await depot.accept(draft("m-1"))
    courier = await depot.courier()
    assert courier.alive
    await depot.drained()
    assert depot.amojo.took() == ["m-1"]
    assert await depot.attempts(entry) == [(1, "delivered", None, None)]
    assert courier.in_memory == 0


async def test_each_direction_has_its_sender(depot: Depot) -> None:
    await depot.accept(draft("m-1"), reply("a-1"))
    await depot.courier()
    await depot.drained()
    assert (depot.amojo.took(), depot.messenger.took()) == (["m-1"], ["a-1"])


async def test_what_is_offered_is_delivered_without_the_loader(depot: Depot) -> None:
    courier = await depot.courier()
    for number in range(3):
        courier.offer(await depot.accept(draft(f"m-{number}")))
    await depot.drained()
    assert depot.amojo.took() == ["m-0", "m-1", "m-2"]


async def test_the_receipt_is_kept(depot: Depot) -> None:
    async def answer(_: Entry) -> Receipt:
        return Receipt(far_id="amo-1", far_conversation_id="chat-1")

    depot.amojo.answer = answer
    (entry,) = await depot.accept(draft("m-1"))
    await depot.courier()
    await depot.drained()
    assert await depot.attempts(entry) == [(1, "delivered", None, "amo-1")]
    (later,) = await depot.accept(draft("m-2"))
    assert later.amojo_id == "chat-1"


async def test_an_attempt_is_repeated_when_it_is_due_with_the_same_key(depot: Depot) -> None:
    depot.messenger.answer = failing(3, errors.FarSideDown("it is down"))
    (entry,) = await depot.accept(reply("a-1"))
    await depot.courier()
    await depot.drained()
    times = [at for at, _ in depot.messenger.asked]
    waits = [(later - sooner) / SECOND for sooner, later in pairwise(times)]
    assert waits == [1, 3, 8]
    assert {asked.key for _, asked in depot.messenger.asked} == {entry.key}
    assert [asked.attempts for _, asked in depot.messenger.asked] == [0, 1, 2, 3]
    assert await depot.attempts(entry) == [
        (1, "retry", "far_side_down", None),
        (2, "retry", "far_side_down", None),
        (3, "retry", "far_side_down", None),
        (4, "delivered", None, None),
    ]
    assert depot.outcomes == [OutcomeKind.RETRY] * 3 + [OutcomeKind.DELIVERED]


async def test_a_repeat_that_the_far_side_knows_is_delivered(depot: Depot) -> None:
    depot.amojo.answer = failing(1, errors.Duplicate("it has it"))
    (entry,) = await depot.accept(draft("m-1"))
    await depot.courier()
    await depot.drained()
    assert await depot.attempts(entry) == [(1, "delivered", None, None)]


@pytest.mark.parametrize(
    ("error", "asked", "detail"),
    [
        (errors.Rejected("type: required"), 1, "type: required"),
        (errors.FarSideDown("it is down"), 10, "given up after 15 minutes: it is down"),
        (errors.Misconfigured("no address"), 10, "given up after 15 minutes: no address"),
    ],
)
async def test_what_is_given_up_is_parked_and_lets_the_next_one_go(
    depot: Depot, error: DeliveryError, asked: int, detail: str
) -> None:
    depot.messenger.answer = failing(10**9, error, only="a-1")
    await depot.accept(reply("a-1"), reply("a-2"))
    await depot.courier()
    await depot.drained()
    (given_up,) = await depot.parked()
    assert (given_up.message_id, given_up.code, given_up.detail, given_up.attempts) == (
        "a-1",
        error.code,
        detail,
        asked,
    )
    assert depot.messenger.took() == ["a-2"]


async def test_a_fault_of_a_sender_is_retried_and_stops_nothing(depot: Depot) -> None:
    depot.amojo.answer = failing(2, ZeroDivisionError("a bug"), only="m-1")
    (entry, *_) = await depot.accept(draft("m-1"), draft("m-2"), draft("m-3", "c-2"))
    courier = await depot.courier()
    await depot.drained()
    assert courier.alive
    assert depot.amojo.by_conversation() == {"c-1": ["m-1", "m-2"], "c-2": ["m-3"]}
    assert [row[1:3] for row in await depot.attempts(entry)] == [
        ("retry", "internal"),
        ("retry", "internal"),
        ("delivered", None),
    ]


async def test_a_released_entry_starts_a_new_schedule(depot: Depot) -> None:
    depot.messenger.answer = failing(10**9, errors.NotSent("no route"))
    await depot.accept(reply("a-1"))
    courier = await depot.courier()
    await depot.drained()
    given_up_at = depot.clock.now()
    depot.messenger.answer = failing(2, errors.NotSent("no route"))
    released = await depot.release()
    courier.look_up([entry.lane for entry in released], again=True)
    await depot.drained()
    assert depot.messenger.took() == ["a-1"]
    assert depot.clock.now() - given_up_at <= 5 * SECOND
    outcomes = [row[1] for row in await depot.attempts(released[0])]
    assert outcomes == ["retry"] * 9 + ["parked", "released", "retry", "retry", "delivered"]


# --- many entries -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
async def test_order_is_kept_under_random_failures(depot: Depot, seed: int) -> None:
    chance = random.Random(seed)
    moods = [errors.NotSent("x"), errors.FarSideDown("x"), errors.OutcomeUnknown("x")]

    async def moody(_: Entry) -> None:
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        if chance.random() < 0.3:
            raise chance.choice(moods)

    depot.amojo.answer = depot.messenger.answer = moody
    drafts = [
        make(f"{make.__name__}-{number}", f"c-{chance.randrange(8)}")
        for number in range(300)
        for make in [chance.choice((draft, reply))]
    ]
    courier = await depot.courier(at_once=7)
    while drafts:
        size = chance.randrange(1, 40)
        courier.offer(await depot.accept(*drafts[:size]))
        del drafts[:size]
    await depot.drained()
    # Where waiting takes no time, some have no luck for a quarter of an hour.
    given_up = [entry.message_id for entry in await depot.parked()]
    ended = depot.amojo.took() + depot.messenger.took() + given_up
    assert len(ended) == len(set(ended)) == 300
    for far_side in (depot.amojo, depot.messenger):
        for conversation in far_side.by_conversation().values():
            assert conversation == sorted(conversation, key=lambda name: int(name.split("-")[1]))


async def test_a_backlog_larger_than_the_window_is_delivered_in_order(depot: Depot) -> None:
    backlog = [draft(f"m-{number:04}", f"c-{number % 40}") for number in range(1200)]
    await depot.accept(*backlog)
    courier = await depot.courier(window=10)
    for number in range(1200, 1230):
        courier.offer(await depot.accept(draft(f"m-{number}", f"c-{number % 40}")))
    await depot.drained()
    assert len(depot.amojo.taken) == 1230
    for conversation in depot.amojo.by_conversation().values():
        assert conversation == sorted(set(conversation))


async def test_a_long_lane_drains_in_order_while_it_grows(depot: Depot) -> None:
    length = 3 * LANE_LIMIT + 5
    await depot.accept(*(draft(f"m-{number:04}") for number in range(length)))
    courier = await depot.courier()
    for number in range(length, length + 100):
        courier.offer(await depot.accept(draft(f"m-{number:04}")))
    await depot.drained()
    assert depot.amojo.took() == [f"m-{number:04}" for number in range(length + 100)]


async def test_a_failing_conversation_holds_no_other(depot: Depot) -> None:
    """The far side takes nothing of c-1 until c-2 is through, for whatever length of time."""

    async def answer(entry: Entry) -> None:
        if entry.external_id == "c-1" and len(depot.amojo.taken) < 20:
            raise errors.NotSent("no route")

    depot.amojo.answer = answer
    both = [draft(f"m-{number:02}", f"c-{number % 2 + 1}") for number in range(40)]
    await depot.accept(*both)
    await depot.courier(at_once=2)
    await depot.drained()
    assert {entry.external_id for entry in depot.amojo.taken[:20]} == {"c-2"}
    assert depot.amojo.by_conversation()["c-1"] == [f"m-{number:02}" for number in range(0, 40, 2)]


async def test_no_more_attempts_are_under_way_than_allowed(depot: Depot) -> None:
    under_way = most = 0

    async def counting(_: Entry) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(5):
            await asyncio.sleep(0)
        under_way -= 1

    depot.amojo.answer = counting
    await depot.accept(*(draft(f"m-{number}", f"c-{number}") for number in range(50)))
    await depot.courier(at_once=3)
    await depot.drained()
    assert most == 3


# --- the database is away -----------------------------------------------------------------------


async def test_what_was_delivered_while_the_database_was_away_is_recorded_later(
    depot: Depot,
) -> None:
    depot.store.failures[pending.settle] = 5
    await depot.accept(*(draft(f"m-{number}", f"c-{number % 3}") for number in range(9)))
    await depot.courier()
    await depot.drained()
    assert sorted(depot.amojo.took()) == [f"m-{number}" for number in range(9)]


async def test_a_loader_without_a_database_tries_again(depot: Depot) -> None:
    depot.store.failures[pending.load_after] = 3
    await depot.accept(draft("m-1"))
    await depot.courier()
    await depot.drained()
    assert depot.amojo.took() == ["m-1"]


async def test_a_refill_without_a_database_tries_again(depot: Depot) -> None:
    depot.store.failures[pending.load_lanes] = 3
    await depot.accept(*(draft(f"m-{number:03}") for number in range(LANE_LIMIT + 3)))
    await depot.courier()
    await depot.drained()
    assert depot.amojo.took() == [f"m-{number:03}" for number in range(LANE_LIMIT + 3)]


# --- stopping and crashing ----------------------------------------------------------------------


@pytest.fixture
def gate(depot: Depot) -> asyncio.Event:
    """What is sent to amojo hangs until the gate is opened."""
    gate = asyncio.Event()

    async def hang(_: Entry) -> None:
        depot.store.changed.set()
        await gate.wait()

    depot.amojo.answer = hang
    return gate


async def one_is_under_way(depot: Depot) -> None:
    async def asked() -> bool:
        return bool(depot.amojo.asked)

    await depot.until(asked)


async def test_stopping_lets_what_is_under_way_end(depot: Depot, gate: asyncio.Event) -> None:
    await depot.accept(draft("m-1"), draft("m-2"))
    courier = await depot.courier()
    await one_is_under_way(depot)
    stopping = asyncio.create_task(courier.stop(grace=20))
    await asyncio.sleep(0)
    gate.set()
    await stopping
    assert not courier.alive
    assert [entry.message_id for entry in await depot.pending()] == ["m-2"]


async def test_stopping_does_not_wait_longer_than_its_grace(
    depot: Depot,
    gate: asyncio.Event,  # noqa: ARG001 - it stays shut
) -> None:
    await depot.accept(draft("m-1"))
    courier = await depot.courier()
    await one_is_under_way(depot)
    await courier.stop(grace=0)
    assert [entry.message_id for entry in await depot.pending()] == ["m-1"]
    assert depot.amojo.took() == []


async def test_a_crash_between_sending_and_recording_repeats_at_most_that(depot: Depot) -> None:
    """The far side gets the same key again, before anything newer of the conversation."""
    await depot.accept(*(draft(f"m-{number}") for number in range(3)))
    depot.store.failures[pending.settle] = 10**9
    first = await depot.courier()
    await depot.until(depot.amojo_took_something)
    await first.stop(grace=0)
    unrecorded = list(depot.amojo.taken)
    assert len(await depot.pending()) == 3
    del depot.store.failures[pending.settle]
    second = await depot.courier()
    second.offer(await depot.accept(draft("m-3")))
    await depot.drained()
    again = depot.amojo.taken[len(unrecorded) :]
    assert [entry.message_id for entry in again] == ["m-0", "m-1", "m-2", "m-3"]
    assert [entry.key for entry in again[: len(unrecorded)]] == [entry.key for entry in unrecorded]


async def test_a_retry_keeps_its_time_over_a_restart(depot: Depot) -> None:
    depot.clock.stand_still()
    depot.amojo.answer = failing(1, errors.Throttled("wait", retry_after=30 * MINUTE))
    (entry,) = await depot.accept(draft("m-1"))
    first = await depot.courier()

    async def failed_once() -> bool:
        return bool(await depot.attempts(entry))

    await depot.until(failed_once)
    await first.stop(grace=0)
    (waiting,) = await depot.pending()
    assert waiting.attempts == 1
    assert waiting.due_at == entry.received_at + 30 * MINUTE * SECOND
    assert waiting.since == entry.received_at
