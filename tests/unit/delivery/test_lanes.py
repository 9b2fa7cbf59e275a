"""The lanes against a model that a child could run: a list of lists, looked through from the front each time."""

from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chatbridge.delivery.lanes import LANE_LIMIT, Lanes
from tests.unit.factories import make_entry

if TYPE_CHECKING:
    from chatbridge.store.entries import Entry

CONVERSATIONS = st.integers(1, 3)


def take_all(lanes: Lanes, now: int = 0) -> list[int]:
    taken = []
    while (entry := lanes.take(now)) is not None:
        taken.append(entry.id)
    return taken


# --- by example ---------------------------------------------------------------------------------


def test_only_the_first_entry_of_a_lane_may_go() -> None:
    lanes = Lanes()
    lanes.add([make_entry(1), make_entry(2), make_entry(3, conversation=2)], 0)
    assert take_all(lanes) == [1, 3]
    assert lanes.finish(make_entry(1)) is False
    assert take_all(lanes) == [2]
    assert len(lanes) == 2


def test_a_first_entry_that_waits_holds_its_lane_and_no_other_and_costs_no_memory() -> None:
    lanes = Lanes()
    lanes.add([make_entry(1), make_entry(2), make_entry(3, conversation=2)], 0)
    first = lanes.take(0)
    assert first is not None
    lanes.postpone(first, 50)
    assert take_all(lanes, now=49) == [3]
    assert len(lanes) == 1
    assert lanes.next_due() == 50
    assert lanes.wake(49) == []
    assert lanes.wake(50) == [first.lane]
    again = [make_entry(1, attempts=1, due_at=50), make_entry(2)]
    assert lanes.refill(first.lane, again, 50, complete=True) is False
    assert take_all(lanes, now=50) == [1]


def test_a_lane_that_waits_is_not_woken_by_what_is_accepted() -> None:
    lanes = Lanes()
    lanes.add([make_entry(1, due_at=1000)], 0)
    lanes.add([make_entry(2)], 0)
    assert take_all(lanes) == []
    assert lanes.next_due() == 1000
    assert len(lanes) == 0


def test_a_released_entry_goes_before_those_that_are_newer() -> None:
    """The newer one under way cannot be called back, but nothing newer goes before the older one is through."""
    lanes = Lanes()
    lanes.add([make_entry(5), make_entry(6)], 0)
    newer = lanes.take(0)
    assert newer is not None
    lanes.add_again([make_entry(2)], 0)
    assert take_all(lanes) == []
    lanes.finish(newer)
    assert take_all(lanes) == [2]
    lanes.finish(make_entry(2))
    assert take_all(lanes) == [6]


def test_a_released_entry_wakes_a_lane_that_waits_for_a_newer_one() -> None:
    lanes = Lanes()
    lanes.add([make_entry(5, due_at=1000)], 0)
    lanes.add_again([make_entry(2)], 0)
    assert lanes.wake(0) == [2]
    both = [make_entry(2), make_entry(5, attempts=1, due_at=1000)]
    assert lanes.refill(2, both, 0, complete=True) is False
    assert take_all(lanes) == [2]
    lanes.finish(make_entry(2))
    assert take_all(lanes) == []
    assert lanes.next_due() == 1000


def test_a_long_lane_is_cut_and_asks_for_the_rest_when_it_is_empty() -> None:
    lanes = Lanes()
    lanes.add((make_entry(number) for number in range(1, LANE_LIMIT + 2)), 0)
    assert len(lanes) == LANE_LIMIT
    for number in range(1, LANE_LIMIT):
        assert take_all(lanes) == [number]
        assert lanes.finish(make_entry(number)) is False
    assert take_all(lanes) == [LANE_LIMIT]
    assert lanes.finish(make_entry(LANE_LIMIT)) is True
    lanes.add([make_entry(LANE_LIMIT + 2)], 0)  # accepted meanwhile: it must not overtake
    assert take_all(lanes) == []
    assert lanes.refill(2, [make_entry(LANE_LIMIT + 1)], 0, complete=True) is False
    assert take_all(lanes) == [LANE_LIMIT + 1]
    assert lanes.finish(make_entry(LANE_LIMIT + 1)) is True
    assert lanes.refill(2, [make_entry(LANE_LIMIT + 2)], 0, complete=True) is False
    assert take_all(lanes) == [LANE_LIMIT + 2]
    assert lanes.finish(make_entry(LANE_LIMIT + 2)) is False
    assert len(lanes) == 0


def test_a_refill_that_came_too_early_is_asked_for_again() -> None:
    """The database was read before the entry was committed that was left to it."""
    lanes = Lanes()
    lanes.add((make_entry(number) for number in range(1, LANE_LIMIT + 2)), 0)
    for number in range(1, LANE_LIMIT + 1):
        assert take_all(lanes) == [number]
        wanted = lanes.finish(make_entry(number))
    assert wanted
    lanes.add([make_entry(LANE_LIMIT + 2)], 0)
    assert lanes.refill(2, [], 0, complete=True) is True


# --- against the model --------------------------------------------------------------------------


class LanesMachine(RuleBasedStateMachine):
    """A database, the lanes over it, and what a courier may do with them, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.lanes = Lanes()
        self.now = 0
        self.last_id = 0
        self.pending: dict[int, Entry] = {}
        """The database: everything that is still to deliver, by id."""
        self.parked: dict[int, Entry] = {}
        self.under_way: dict[int, Entry] = {}
        """What was taken, by lane."""
        self.wanted: set[int] = set()
        """Lanes that asked for a refill."""

    @rule(conversation=CONVERSATIONS, count=st.integers(1, LANE_LIMIT))
    def accept(self, conversation: int, count: int) -> None:
        ids = range(self.last_id + 1, self.last_id + 1 + count)
        new = [make_entry(number, conversation, due_at=self.now) for number in ids]
        self.last_id = ids[-1]
        self.pending |= {entry.id: entry for entry in new}
        self.lanes.add(new, self.now)

    @rule()
    def take(self) -> None:
        entry = self.lanes.take(self.now)
        if entry is None:
            return
        assert entry.lane not in self.under_way, "two of one lane at once"
        older = [known for known in self.pending.values() if known.lane == entry.lane]
        assert entry == min(older, key=lambda known: known.id), "not the first of its lane"
        assert entry.due_at <= self.now
        self.under_way[entry.lane] = entry

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), parked=st.booleans())
    def finish(self, data: st.DataObject, parked: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
        lane = data.draw(st.sampled_from(sorted(self.under_way)))
        if parked:
            entry = self.under_way[lane]
            self.parked[entry.id] = entry
        self.end(lane)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), wait=st.integers(0, 3))
    def postpone(self, data: st.DataObject, wait: int) -> None:
        entry = self.under_way.pop(data.draw(st.sampled_from(sorted(self.under_way))))
        again = make_entry(
            entry.id,
            entry.conversation_id,
            attempts=entry.attempts + 1,
            due_at=self.now + wait,
        )
        self.pending[entry.id] = again
        self.lanes.postpone(entry, again.due_at)

    @precondition(lambda self: self.parked)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        numbers = data.draw(st.sets(st.sampled_from(sorted(self.parked)), min_size=1))
        entries = [
            make_entry(number, self.parked.pop(number).conversation_id, due_at=self.now)
            for number in sorted(numbers)
        ]
        self.pending |= {entry.id: entry for entry in entries}
        self.lanes.add_again(entries, self.now)

    @precondition(lambda self: self.wanted)
    @rule(data=st.data())
    def refill(self, data: st.DataObject) -> None:
        lane = data.draw(st.sampled_from(sorted(self.wanted)))
        self.refill_lane(lane)

    @rule(seconds=st.integers(1, 3))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        self.wake()

    def wake(self) -> None:
        woken = self.lanes.wake(self.now)
        assert not self.wanted & set(woken), "asked for a refill twice"
        self.wanted |= set(woken)

    def refill_lane(self, lane: int) -> None:
        waiting = sorted(number for number, known in self.pending.items() if known.lane == lane)
        entries = [self.pending[number] for number in waiting[:LANE_LIMIT]]
        complete = len(entries) < LANE_LIMIT
        if not self.lanes.refill(lane, entries, self.now, complete=complete):
            self.wanted.discard(lane)

    @invariant()
    def nothing_is_counted_twice(self) -> None:
        assert len(self.lanes) <= len(self.pending)

    def end(self, lane: int) -> None:
        entry = self.under_way.pop(lane)
        del self.pending[entry.id]
        if self.lanes.finish(entry):
            assert lane not in self.wanted
            self.wanted.add(lane)

    def teardown(self) -> None:
        """Whatever happened, everything that is pending gets out, each lane in its order."""
        self.now += 1000
        while self.pending:
            self.wake()
            for lane in list(self.wanted):
                self.refill_lane(lane)
            self.take()
            assert self.under_way, "something is pending that the lanes never give out"
            for lane in list(self.under_way):
                self.end(lane)
        assert len(self.lanes) == 0


TestLanes = LanesMachine.TestCase
TestLanes.settings = settings(max_examples=50)
