"""Which entry may go next, rule by rule. What holds in any order of events is in test_lanes_model."""

from typing import Any

import pytest

from chatbridge import errors
from chatbridge.delivery.circuit import FIRST_PAUSE, OPENS_AT, Failure
from chatbridge.delivery.destinations import FEWEST
from chatbridge.delivery.lane import LANE_LIMIT
from chatbridge.delivery.lanes import Lanes
from chatbridge.delivery.retry import expires_at
from chatbridge.model import Direction
from chatbridge.store.entries import Entry
from tests.unit.factories import NOW, SECOND, make_entry

DOWN = errors.FarSideDown("HTTP 503")
LATER = NOW + 60 * SECOND


def entry(entry_id: int, conversation: int = 1, link: int = 1, **changes: Any) -> Entry:
    times = {"received_at": NOW, "since": NOW, "due_at": NOW}
    return make_entry(entry_id, conversation, link_id=link, **times | changes)


def some(count: int, *, link: int = 1, first: int = 1) -> list[Entry]:
    """Return entries of as many conversations."""
    return [entry(number, number, link) for number in range(first, first + count)]


def lanes_with(*entries: Entry, at_once: int = 100, each: int = 100) -> Lanes:
    lanes = Lanes(at_once=at_once, at_once_each=each)
    lanes.add(entries, NOW)
    return lanes


def take_all(lanes: Lanes, now: int = NOW) -> list[int]:
    lanes.wake(now)
    return [turn.entry.id for turn in iter(lambda: lanes.take(now), None)]


def load(lanes: Lanes, *pending: Entry, now: int = NOW, most: int = 1000) -> list[int]:
    """Read hungry lanes from a database with these entries; return which they were."""
    hungry = lanes.hungry(most)
    for lane in hungry:
        found = [waiting for waiting in pending if waiting.lane == lane.number]
        lanes.refill(lane, found, now, complete=True)
    return [lane.number // 2 for lane in hungry]


def fail(lanes: Lanes, failed: Entry, now: int = NOW, wait: float | None = None) -> None:
    """Let an attempt fail that is repeated a minute later."""
    lanes.failed(failed, Failure(lane=failed.lane, error=DOWN, now=now, wait=wait))
    lanes.postpone(failed, LATER)


def answer(lanes: Lanes, answered: Entry, now: int = NOW) -> None:
    lanes.answered(answered)
    lanes.finish(answered, now)


def broken(*held: Entry) -> Lanes:
    """Return lanes whose destination failed for five conversations; these entries wait behind its circuit."""
    failing = some(OPENS_AT, first=1000)
    lanes = lanes_with(*failing)
    take_all(lanes)
    lanes.add(held, NOW)
    for failed in failing:
        fail(lanes, failed)
    return lanes


# --- one lane -----------------------------------------------------------------------------------


def test_only_the_first_entry_of_a_lane_may_go() -> None:
    lanes = lanes_with(entry(1), entry(2), entry(3, conversation=2))
    assert take_all(lanes) == [1, 3]
    answer(lanes, entry(1))
    assert take_all(lanes) == [2]
    assert (len(lanes), lanes.bytes, lanes.lanes) == (2, 4, 2)


def test_the_two_directions_of_a_conversation_do_not_wait_for_each_other() -> None:
    lanes = lanes_with(entry(1), entry(2, direction=Direction.TO_MESSENGER))
    assert take_all(lanes) == [1, 2]


def test_a_first_entry_that_waits_holds_its_lane_and_no_other_and_costs_no_memory() -> None:
    lanes = lanes_with(entry(1), entry(2), entry(3, conversation=2))
    take_all(lanes)
    lanes.postpone(entry(1), LATER)
    assert (len(lanes), lanes.next_due()) == (1, LATER)
    lanes.wake(LATER - 1)
    assert load(lanes) == []
    lanes.wake(LATER)
    assert load(lanes, entry(1, due_at=LATER), entry(2), now=LATER) == [1]
    assert take_all(lanes, LATER) == [1]


def test_a_lane_that_waits_is_not_woken_by_what_is_accepted() -> None:
    lanes = lanes_with(entry(1, due_at=LATER), entry(2))
    assert take_all(lanes) == load(lanes) == []
    assert (len(lanes), lanes.next_due()) == (0, LATER)


def test_an_entry_that_is_not_due_waits_behind_one_that_is() -> None:
    lanes = lanes_with(entry(1), entry(2, due_at=LATER))
    take_all(lanes)
    answer(lanes, entry(1))
    assert take_all(lanes) == []
    assert (len(lanes), lanes.next_due()) == (0, LATER)


def test_a_long_lane_is_cut_and_the_rest_is_read_when_it_is_empty() -> None:
    everything = [entry(number) for number in range(1, LANE_LIMIT + 4)]
    lanes = lanes_with(*everything[:-1])
    assert len(lanes) == LANE_LIMIT
    for number in range(1, LANE_LIMIT + 1):
        assert lanes.hungry(1) == []
        assert take_all(lanes) == [number]
        answer(lanes, entry(number))
    lanes.add(everything[-1:], NOW)  # accepted meanwhile: it must not overtake
    assert take_all(lanes) == []
    assert load(lanes, *everything[LANE_LIMIT:-1]) == [1]
    for number in (LANE_LIMIT + 1, LANE_LIMIT + 2):
        assert take_all(lanes) == [number]
        answer(lanes, entry(number))
    assert load(lanes, everything[-1]) == [1]
    assert take_all(lanes) == [LANE_LIMIT + 3]
    answer(lanes, everything[-1])
    assert (len(lanes), lanes.lanes) == (0, 0)


def test_a_refill_that_came_too_early_is_wanted_again() -> None:
    """The database was read before the entry was committed that was left to it."""
    lanes = Lanes(at_once=1, at_once_each=1)
    lanes.look_up(2)
    (lane,) = lanes.hungry(1)
    lanes.add([entry(1)], NOW)
    lanes.refill(lane, [], NOW, complete=True)
    assert load(lanes, entry(1)) == [1]
    assert take_all(lanes) == [1]


def test_what_another_node_accepted_is_looked_up() -> None:
    lanes = lanes_with(entry(1))
    lanes.look_up(entry(1).lane)
    lanes.look_up(entry(3, conversation=2).lane)
    assert load(lanes, entry(3, conversation=2)) == [2]
    assert take_all(lanes) == [1, 3]
    answer(lanes, entry(1))
    assert load(lanes, entry(2)) == [1]
    assert take_all(lanes) == [2]


# --- releases -----------------------------------------------------------------------------------


def test_what_is_released_goes_before_what_is_newer() -> None:
    """The newer one under way cannot be called back, but no other goes before the older one is through."""
    lanes = lanes_with(entry(5), entry(6))
    take_all(lanes)
    lanes.reload(entry(2).lane)
    answer(lanes, entry(5))
    assert take_all(lanes) == []
    load(lanes, entry(2), entry(6))
    assert take_all(lanes) == [2]


def test_what_is_released_wakes_a_lane_that_waits_for_a_newer_one() -> None:
    lanes = lanes_with(entry(5, due_at=LATER))
    lanes.reload(entry(2).lane)
    load(lanes, entry(2), entry(5, due_at=LATER))
    assert take_all(lanes) == [2]
    answer(lanes, entry(2))
    assert take_all(lanes) == []
    assert lanes.next_due() == LATER


def test_what_is_released_does_not_wait_for_the_retry_of_a_newer_one_under_way() -> None:
    lanes = lanes_with(entry(5))
    take_all(lanes)
    lanes.reload(entry(2).lane)
    lanes.postpone(entry(5), LATER)
    assert load(lanes, entry(2), entry(5, due_at=LATER)) == [1]
    assert take_all(lanes) == [2]


def test_what_was_read_before_a_release_is_read_again() -> None:
    lanes = Lanes(at_once=1, at_once_each=1)
    lanes.look_up(entry(5).lane)
    (early,) = lanes.hungry(1)
    lanes.reload(entry(2).lane)
    lanes.refill(early, [entry(5)], NOW, complete=True)
    assert take_all(lanes) == []
    assert load(lanes, entry(2), entry(5)) == [1]
    assert take_all(lanes) == [2]


# --- turns and limits ---------------------------------------------------------------------------


def test_destinations_take_turns() -> None:
    lanes = lanes_with(*some(3, link=1), *some(3, link=2, first=11), *some(1, link=3, first=21))
    assert take_all(lanes) == [1, 11, 21, 2, 12, 3, 13]


def test_no_more_are_under_way_than_allowed() -> None:
    lanes = lanes_with(*some(9), *some(9, link=2, first=11), at_once=5, each=3)
    assert take_all(lanes) == [1, 11, 2, 12, 3]
    answer(lanes, entry(11, 11, link=2))
    assert take_all(lanes) == [13]
    lanes = lanes_with(*some(9), at_once=20, each=3)
    assert take_all(lanes) == [1, 2, 3]


def test_a_destination_alone_has_nearly_all_slots_and_leaves_some() -> None:
    lanes = lanes_with(*some(100), at_once=64)
    assert len(take_all(lanes)) == 57
    lanes.add(some(50, link=2, first=101), NOW)
    assert len(take_all(lanes)) == 7


def test_one_that_was_crowded_out_goes_on_when_another_ends() -> None:
    """However often the greedy one asked for more meanwhile."""
    lanes = lanes_with(*some(30), *some(20, link=2, first=101), at_once=20)
    begun = take_all(lanes)
    for number in range(200, 300):
        lanes.add([entry(number, number)], NOW)
        assert take_all(lanes) == []
    third = some(20, link=3, first=401)
    lanes.add(third, NOW)
    more = take_all(lanes)
    for number in begun[:8]:
        answer(lanes, entry(number, number, link=1 if number < 100 else 2))
        more += take_all(lanes)
    assert sum(number > 400 for number in more) > FEWEST


# --- a destination that fails -------------------------------------------------------------------


def test_a_circuit_that_opens_holds_every_lane_without_its_entries() -> None:
    lanes = broken(*some(20), entry(50, 1))
    assert lanes.blocked == 1
    assert (len(lanes), lanes.lanes) == (0, 20 + OPENS_AT)
    lanes.add([entry(60, 60), entry(61, 61, link=2)], NOW)
    assert take_all(lanes) == [61]
    assert lanes.next_due() == NOW + FIRST_PAUSE * SECOND


def test_after_the_pause_one_probe_goes_of_a_conversation_that_did_not_fail() -> None:
    now = NOW + int(FIRST_PAUSE * SECOND)
    held = some(3)
    lanes = broken(*held)
    assert take_all(lanes, now) == []
    assert load(lanes, *held, now=now) == [3]
    assert take_all(lanes, now) == [3]
    load(lanes, *held, now=now)
    assert take_all(lanes, now) == []
    fail(lanes, held[2], now)
    assert take_all(lanes, now) == load(lanes) == []
    assert lanes.next_due() == now + 2 * FIRST_PAUSE * SECOND


def test_once_the_probe_is_answered_everything_goes_on() -> None:
    now = NOW + int(FIRST_PAUSE * SECOND)
    held = some(3)
    lanes = broken(*held)
    take_all(lanes, now)
    load(lanes, *held, now=now)
    take_all(lanes, now)
    answer(lanes, held[2], now)
    assert lanes.blocked == 0
    take_all(lanes, now)
    load(lanes, *held, now=now)
    assert sorted(take_all(lanes, now)) == [1, 2]


def test_a_fault_of_ours_during_the_probe_lets_the_next_one_probe() -> None:
    now = NOW + int(FIRST_PAUSE * SECOND)
    held = some(2)
    lanes = broken(*held)
    for expected in (2, 1):
        take_all(lanes, now)
        load(lanes, *held, now=now)
        assert take_all(lanes, now) == [expected]
        lanes.postpone(held[expected - 1], LATER)


def test_what_began_before_the_pause_does_not_close_it_but_may_lengthen_it() -> None:
    slow, slower = entry(1), entry(2, 2)
    failing = some(OPENS_AT, first=1000)
    lanes = lanes_with(slow, slower, *failing)
    take_all(lanes)
    for failed in failing:
        fail(lanes, failed)
    answer(lanes, slow)
    assert lanes.blocked == 1
    fail(lanes, slower, wait=30)
    assert take_all(lanes, NOW + 29 * SECOND) == []
    assert lanes.blocked == 1
    lanes.wake(NOW + 30 * SECOND)
    assert lanes.blocked == 0


def test_a_wish_to_wait_counts_while_it_is_probed() -> None:
    slow, probe = entry(1), entry(2, 2)
    failing = some(OPENS_AT, first=1000)
    lanes = lanes_with(slow, *failing)
    take_all(lanes)
    for failed in failing:
        fail(lanes, failed)
    lanes.add([probe], NOW)
    now = NOW + int(FIRST_PAUSE * SECOND)
    take_all(lanes, now)
    load(lanes, probe, now=now)
    assert take_all(lanes, now) == [2]
    fail(lanes, slow, now, wait=30)
    answer(lanes, probe, now)
    lanes.wake(now + 29 * SECOND)
    assert lanes.blocked == 1
    lanes.wake(now + 30 * SECOND)
    assert lanes.blocked == 0


def test_what_expires_behind_a_circuit_is_given_up_and_its_lane_goes_on_waiting() -> None:
    old, young = (entry(n, direction=Direction.TO_MESSENGER, since=NOW + n) for n in (1, 2))
    lanes = Lanes(at_once=1, at_once_each=1)
    lanes.add([entry(9, 9, direction=Direction.TO_MESSENGER)], NOW)
    take_all(lanes)
    lanes.failed(
        entry(9, 9, direction=Direction.TO_MESSENGER),
        Failure(lane=19, error=DOWN, now=NOW, wait=2000),
    )
    lanes.add([old, young], NOW)
    now = expires_at(old)
    assert lanes.next_due() == now
    lanes.wake(now)
    load(lanes, old, young, now=now)
    turn = lanes.take(now)
    assert turn == (old, DOWN)
    assert lanes.take(now) is None
    lanes.finish(old, now)
    assert lanes.take(now) is None
    assert lanes.next_due() == expires_at(young)


@pytest.mark.parametrize("each", [1, 3])
def test_what_expired_is_tried_within_the_limits_if_its_destination_works_again(each: int) -> None:
    """It came from the database too old, and the circuit closed before its turn."""
    now = expires_at(entry(1))
    held = some(9)
    lanes = Lanes(at_once=20, at_once_each=each)
    lanes.add(some(1, first=100), NOW)
    take_all(lanes)
    lanes.failed(entry(100, 100), Failure(lane=200, error=DOWN, now=now - 2 * SECOND, wait=1))
    lanes.wake(now)
    lanes.add(some(1, first=101), now)
    lanes.finish(entry(100, 100), now)
    assert take_all(lanes, now) == [101]
    lanes.add(held, now)
    answer(lanes, entry(101, 101), now)
    assert len(take_all(lanes, now)) == each


def test_only_what_expired_is_given_up() -> None:
    """What expired was delivered elsewhere before its turn; the lane was read again."""
    old, young = entry(1), entry(2, since=LATER)
    lanes = broken()
    now = NOW
    while lanes.blocked and now < expires_at(old):
        now = expires_at(old)
    lanes.failed(entry(1000, 1000), Failure(lane=1, error=DOWN, now=now, wait=500))
    lanes.add([old, young], now)
    lanes.reload(old.lane)
    load(lanes, young, now=now)
    assert lanes.take(now) is None


# --- memory -------------------------------------------------------------------------------------


def test_what_is_set_aside_costs_nothing_until_its_destination_has_room() -> None:
    first, second, aside = entry(1), entry(2, 2), entry(3, 3)
    lanes = lanes_with(first, second, at_once=10, each=1)
    lanes.set_aside(aside)
    assert len(lanes) == 2
    assert take_all(lanes) == [1]
    assert load(lanes, aside) == [3]
    answer(lanes, first)
    assert take_all(lanes) == [2]
    answer(lanes, second)
    assert take_all(lanes) == [3]


def test_lanes_that_were_held_are_read_some_at_a_time() -> None:
    now = NOW + int(FIRST_PAUSE * SECOND)
    held = some(500)
    lanes = broken(*held)
    take_all(lanes, now)
    load(lanes, *held, now=now)
    take_all(lanes, now)
    answer(lanes, held[-1], now)
    came: list[int] = []
    while len(came) < 499:
        came += take_all(lanes, now)
        hungry = load(lanes, *held, now=now)
        assert len(hungry) <= 64
        for number in came:
            answer(lanes, entry(number, number), now)
    assert sorted(came) == list(range(1, 500))


def test_an_alarm_that_is_not_needed_any_more_is_forgotten_in_time() -> None:
    """A lane that is held sets an alarm for when its first entry expires, which may be days ahead."""
    lanes = Lanes(at_once=1, at_once_each=1)
    for number in range(1, 50_001):
        lanes.add([entry(number, number, due_at=NOW + number * SECOND)], NOW)
        lanes.forget(lambda _: True)
    woken = 0
    while (due := lanes.next_due()) is not None:
        woken += 1
        lanes.wake(due)
    assert woken < 20_000


# --- partitions ---------------------------------------------------------------------------------


def test_what_is_forgotten_does_not_go_and_what_is_under_way_may_end() -> None:
    lanes = lanes_with(entry(1), entry(2), entry(3, 2), entry(4, 3), each=1)
    assert take_all(lanes) == [1]
    lanes.forget(lambda lane: lane in {entry(1).lane, entry(3, 2).lane})
    answer(lanes, entry(1))
    assert take_all(lanes) == [4]
    assert load(lanes) == [1]
    answer(lanes, entry(4, 3))
    assert (len(lanes), lanes.bytes, lanes.lanes) == (0, 0, 0)


def test_what_is_won_again_while_it_is_under_way_is_not_begun_twice() -> None:
    lanes = lanes_with(entry(1), entry(2))
    take_all(lanes)
    lanes.forget(lambda _: True)
    lanes.add([entry(1), entry(2)], NOW)
    assert take_all(lanes) == []
    answer(lanes, entry(1))
    assert load(lanes, entry(2)) == [1]
    assert take_all(lanes) == [2]


def test_a_probe_that_is_given_away_leaves_it_to_the_next_one() -> None:
    now = NOW + int(FIRST_PAUSE * SECOND)
    held = some(3)
    lanes = broken(*held)
    take_all(lanes, now)
    lanes.forget(lambda lane: lane == entry(3, 3).lane)
    load(lanes, *held, now=now)
    take_all(lanes, now)
    assert load(lanes, *held, now=now) == [2]
    assert take_all(lanes, now) == [2]
