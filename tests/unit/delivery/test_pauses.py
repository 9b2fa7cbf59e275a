"""Destinations that fail, are slow, or ask to wait, and what the others notice of it: nothing."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from chatbridge import errors
from chatbridge.delivery.circuit import OPENS_AT
from chatbridge.delivery.courier import Receipt
from chatbridge.delivery.retry import OPERATOR_REPLY
from chatbridge.store.entries import Entry
from tests.unit.delivery.depot import Depot, draft, reply
from tests.unit.factories import NOW, SECOND

DOWN = errors.FarSideDown("HTTP 503")
PAGE = 600
"""Entries by which memory may go over its window: those of one reading, and some lanes."""


def seconds(at: int) -> float:
    return (at - NOW) / SECOND


def down_until(depot: Depot, second: float, *, link: int = 1) -> Callable[[Entry], Awaitable[None]]:
    """Return an answer of a far side that is down until then for one link."""

    async def answer(entry: Entry) -> None:
        if entry.link_id == link and seconds(depot.clock.now()) < second:
            raise DOWN

    return answer


# --- a far side that is down --------------------------------------------------------------------


async def test_a_dead_destination_costs_one_attempt_now_and_then(depot: Depot) -> None:
    """Five conversations fail, it pauses, is probed, and when it is back everything goes on."""
    depot.amojo.answer = down_until(depot, 60)
    await depot.accept(*(draft(f"m-{n:02}", f"c-{n % 30}") for n in range(60)))
    await depot.courier(at_once=5)
    await depot.drained()
    assert len(set(depot.amojo.took())) == len(depot.amojo.took()) == 60
    for conversation in depot.amojo.by_conversation().values():
        assert conversation == sorted(conversation)
    times = [seconds(at) for at, _ in depot.amojo.asked]
    failures = [at for at in times if at < 60]
    probes = [at for at in failures if at > 0]
    assert OPENS_AT <= len(failures) - len(probes) < 2 * OPENS_AT
    assert len(probes) <= 12, "more than one attempt now and then"
    assert all(later - sooner >= 1 for sooner, later in pairwise(probes))
    assert min(at for at in times if at >= 60) <= 75, "it was not tried soon after it was back"


async def test_one_probe_at_a_time_goes_to_a_destination_that_hangs(depot: Depot) -> None:
    under_way, most_under_way = Counter[bool](), Counter[bool]()

    async def answer(_: Entry) -> None:
        was_open = len(depot.outcomes) >= OPENS_AT
        under_way[was_open] += 1
        most_under_way[was_open] = max(most_under_way[was_open], under_way[was_open])
        for _ in range(10):
            await asyncio.sleep(0)
        under_way[was_open] -= 1
        if len(depot.outcomes) < 40:
            raise DOWN

    depot.amojo.answer = answer
    await depot.accept(*(draft(f"m-{n}", f"c-{n}") for n in range(OPENS_AT)))
    courier = await depot.courier()

    async def failed_for_all() -> bool:
        return len(depot.outcomes) >= OPENS_AT

    await depot.until(failed_for_all)
    courier.offer(await depot.accept(*(draft(f"n-{n}", f"d-{n}") for n in range(30))))

    async def failed_often() -> bool:
        return len(depot.outcomes) >= 35

    await depot.until(failed_often)
    assert most_under_way == {False: OPENS_AT, True: 1}
    await depot.drained()


async def test_one_failing_conversation_pauses_nobody(depot: Depot) -> None:
    async def answer(entry: Entry) -> None:
        if entry.external_id == "c-bad" and len(depot.amojo.taken) < 50:
            raise DOWN

    depot.amojo.answer = answer
    depot.clock.stand_still()
    courier = await depot.courier(at_once=1)
    courier.offer(await depot.accept(draft("bad", "c-bad")))
    courier.offer(await depot.accept(*(draft(f"m-{n}", f"c-{n % 7}") for n in range(50))))

    async def others_are_through() -> bool:
        # The bad one may come last, and then it is taken too.
        return len(depot.amojo.taken) >= 50

    await depot.until(others_are_through)


async def test_refusals_of_messages_open_nothing(depot: Depot) -> None:
    async def answer(_: Entry) -> None:
        raise errors.Rejected("type: unknown")

    depot.amojo.answer = answer
    depot.clock.stand_still()
    await depot.accept(*(draft(f"m-{n}", f"c-{n}") for n in range(30)))
    await depot.courier()
    await depot.drained()
    assert len(depot.amojo.asked) == 30


# --- a far side that asks to wait ---------------------------------------------------------------


async def test_a_throttled_destination_is_left_alone_as_long_as_it_asks(depot: Depot) -> None:
    async def answer(entry: Entry) -> None:
        if entry.link_id == 1 and seconds(depot.clock.now()) < 90:
            raise errors.Throttled("HTTP 429", retry_after=90)

    depot.amojo.answer = answer
    await depot.accept(*(draft(f"m-{n:02}", f"c-{n}") for n in range(20)))
    await depot.courier(at_once=1)
    await depot.drained()
    assert len(depot.amojo.took()) == 20
    times = [seconds(at) for at, _ in depot.amojo.asked]
    assert times[0] == 0
    assert len(times) == 21
    assert min(times[1:]) >= 90


async def test_what_a_far_side_asks_for_is_no_wish_of_the_other_direction(depot: Depot) -> None:
    async def answer(_: Entry) -> None:
        raise errors.Throttled("HTTP 429", retry_after=90)

    depot.amojo.answer = answer
    depot.clock.stand_still()
    await depot.accept(draft("m-1"), reply("a-1"))
    await depot.courier()

    async def reply_is_through() -> bool:
        return depot.messenger.took() == ["a-1"] and len(await depot.pending()) == 1

    await depot.until(reply_is_through)


# --- what waits too long ------------------------------------------------------------------------


async def test_a_reply_behind_a_circuit_is_given_up_in_time_and_its_lane_goes_on(
    depot: Depot,
) -> None:
    """The messenger is back after twenty minutes: too late for the first, in time for the second."""
    back_at, given_up_after = 20 * 60, OPERATOR_REPLY.give_up_after
    depot.messenger.answer = down_until(depot, back_at)
    courier = await depot.courier()
    courier.offer(await depot.accept(*(reply(f"x-{n}", f"x-{n}") for n in range(OPENS_AT))))

    async def is_paused() -> bool:
        return len(depot.outcomes) >= OPENS_AT

    await depot.until(is_paused)
    later = NOW + 10 * 60 * SECOND
    (first, second) = await depot.accept(reply("a-1"), reply("a-2", received_at=later))
    courier.offer([first, second])
    await depot.drained()
    parked = {entry.message_id: entry for entry in await depot.parked()}
    assert "a-2" not in parked
    assert "a-2" in depot.messenger.took()
    assert parked["a-1"].code == "far_side_down"
    assert parked["a-1"].detail == "given up after 15 minutes: HTTP 503"
    assert given_up_after <= seconds(parked["a-1"].parked_at) <= given_up_after + 15
    assert all(
        seconds(at) <= given_up_after for at, asked in depot.messenger.asked if asked == first
    )


async def test_what_is_given_up_without_an_attempt_is_told_and_recorded(depot: Depot) -> None:
    """A long pause that the far side asked for: nothing is tried in it at all."""

    async def answer(_: Entry) -> None:
        raise errors.Throttled("HTTP 429", retry_after=48 * 3600)

    depot.amojo.answer = answer
    four_days_ago = NOW - 4 * 24 * 3600 * SECOND
    courier = await depot.courier(at_once=1)
    courier.offer(await depot.accept(draft("m-1")))

    async def is_paused() -> bool:
        return bool(depot.outcomes)

    depot.clock.stand_still()
    await depot.until(is_paused)
    old, young = await depot.accept(
        draft("m-old", "c-2", received_at=four_days_ago), draft("m-young", "c-2")
    )
    courier.offer([old, young])

    async def is_given_up() -> bool:
        return bool(await depot.parked())

    await depot.until(is_given_up)
    assert await depot.attempts(old) == [(1, "parked", "throttled", None)]
    assert [entry.message_id for _, entry in depot.amojo.asked] == ["m-1"]
    assert depot.outcomes == ["retry", "parked"]
    assert [entry.message_id for entry in await depot.pending()] == ["m-1", "m-young"]


# --- the others ---------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [100, 1000])
async def test_other_destinations_notice_nothing(depot: Depot, window: int) -> None:
    """All of link 1 is down for an hour; each message of the others is taken at its first attempt, in time."""
    depot.amojo.answer = down_until(depot, 3600)
    courier = await depot.courier(window=window, at_once=8)
    for start in range(0, 300, 30):
        drafts = [draft(f"m-{n}", f"c-{n % 90}", link=n % 3 + 1) for n in range(start, start + 30)]
        courier.offer(await depot.accept(*drafts))
    await depot.drained()
    asked = Counter(entry.link_id for _, entry in depot.amojo.asked)
    assert (asked[2], asked[3]) == (100, 100)
    assert len(depot.amojo.took()) == 300


@pytest.mark.parametrize("window", [200, 20_000])
async def test_a_slow_destination_with_thousands_waiting_holds_up_no_other(
    depot: Depot, window: int
) -> None:
    """Link 1 answers nothing at all. A message for link 2 goes within a few attempts."""
    let_go = asyncio.Event()

    async def answer(entry: Entry) -> None:
        if entry.link_id == 1:
            await let_go.wait()

    depot.amojo.answer = answer
    backlog = [draft(f"m-{n:04}", f"c-{n}") for n in range(2000)]
    await depot.accept(*backlog, draft("other-0", "o-0", link=2))
    courier = await depot.courier(window=window, at_once=32)
    await depot.until(depot.amojo_took_something)
    assert depot.amojo.took() == ["other-0"]
    begun = len(depot.amojo.asked)
    assert begun <= 32
    for number in range(1, 10):
        courier.offer(await depot.accept(draft(f"other-{number}", f"o-{number}", link=2)))
    await depot.until(lambda: took(depot, 10))
    assert len(depot.amojo.asked) - begun <= 10
    assert courier.in_memory <= window + PAGE
    let_go.set()
    await depot.drained()
    assert len(set(depot.amojo.took())) == len(depot.amojo.took()) == 2010


async def took(depot: Depot, count: int) -> bool:
    return len(depot.amojo.taken) >= count


# --- memory -------------------------------------------------------------------------------------


async def test_the_window_counts_bytes(depot: Depot) -> None:
    """Large messages: far fewer are in memory than the window has places."""
    most = 0

    async def answer(_: Entry) -> Receipt:
        nonlocal most
        most = max(most, courier.in_memory)
        for _ in range(3):
            await asyncio.sleep(0)
        return Receipt()

    depot.amojo.answer = answer
    size, room = 20_000, 1_000_000
    await depot.accept(*(draft(f"m-{n:03}", f"c-{n % 50}", body=b" " * size) for n in range(500)))
    courier = await depot.courier(window_bytes=room)
    await depot.drained()
    assert len(depot.amojo.took()) == 500
    # One reading may go over it, and what it finds when nothing is in memory.
    assert most <= room // size + 500 // 8


async def test_a_destination_that_is_back_does_not_fill_the_memory_at_once(depot: Depot) -> None:
    most, window = 0, 200

    async def answer(_: Entry) -> None:
        nonlocal most
        most = max(most, courier.in_memory)
        if seconds(depot.clock.now()) < 30:
            raise DOWN

    depot.amojo.answer = answer
    await depot.accept(*(draft(f"m-{n:04}", f"c-{n}") for n in range(2000)))
    courier = await depot.courier(window=window, at_once=64)
    await depot.drained()
    assert len(depot.amojo.took()) == 2000
    assert most <= window + PAGE
