"""The lanes against a model that a child could run: a database, looked through from the front each time."""

from collections import Counter
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from chatbridge import errors
from chatbridge.delivery import circuit as circuits
from chatbridge.delivery.circuit import Circuit, CircuitState, Failure
from chatbridge.delivery.destinations import FEWEST
from chatbridge.delivery.lane import LANE_LIMIT, Lane
from chatbridge.delivery.lanes import Lanes, Turn
from chatbridge.delivery.retry import expires_at
from chatbridge.model import Direction
from chatbridge.store.entries import Entry, lane_of
from tests.unit.factories import NOW, SECOND, make_entry

DOWN = errors.FarSideDown("HTTP 503")
LINKS = 3
CONVERSATIONS = st.integers(1, 12)
BOUND = 10_000
"""Steps after which a machine that was to come to rest never will."""


def lane_number(conversation: int) -> int:
    return lane_of(conversation, Direction.TO_MESSENGER)


def link_of(conversation: int) -> int:
    return conversation % LINKS + 1


class FarSideModel:
    """What is known of one destination."""

    def __init__(self) -> None:
        self.circuit = Circuit()
        self.probe: int | None = None

    @property
    def blocked(self) -> bool:
        state = self.circuit.state
        return state is CircuitState.OPEN or (
            state is CircuitState.PROBING and self.probe is not None
        )

    def begin(self, entry: Entry) -> None:
        assert not self.blocked, "an attempt at a destination that is blocked"
        if self.circuit.state is CircuitState.PROBING:
            self.probe = entry.id

    def heeds(self, entry: Entry) -> bool:
        """While it is probed, only the probe says how it is."""
        return self.circuit.state is not CircuitState.PROBING or self.probe == entry.id


class LanesMachine(RuleBasedStateMachine):
    """A database, the lanes over it, and what a courier and its loader may do with them, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.last_id = 0
        self.commits = 0
        self.pending: dict[int, Entry] = {}
        """The database: everything that is still to deliver, by id."""
        self.committed: dict[int, int] = {}
        """In which order entries became visible."""
        self.handed_over: set[int] = set()
        """Entries of another node, committed whenever."""
        self.reserved: list[int] = []
        """Ids of transactions of another node that are not committed yet."""
        self.untold: set[int] = set()
        """Entries of which nobody here was told."""
        self.parked: dict[int, Entry] = {}
        self.lost: set[int] = set()
        """Conversations that another node delivers."""
        self.under_way: dict[int, Turn] = {}
        """What was taken, by lane."""
        self.loaded: list[tuple[Lane, list[Entry]]] = []
        """What was read for lanes and did not arrive yet."""
        self.far_sides = {link: FarSideModel() for link in range(1, LINKS + 1)}

    @initialize(at_once=st.integers(1, 9), each=st.integers(1, 6))
    def begin(self, at_once: int, each: int) -> None:
        self.at_once, self.each = at_once, each
        self.lanes = Lanes(at_once=at_once, at_once_each=each)

    # --- entries come in ---

    def commit(self, entry_id: int, conversation: int) -> Entry:
        entry = make_entry(
            entry_id,
            conversation,
            link_id=link_of(conversation),
            direction=Direction.TO_MESSENGER,
            received_at=self.now,
            since=self.now,
            due_at=self.now,
        )
        self.store(entry)
        return entry

    def store(self, entry: Entry) -> None:
        self.commits += 1
        self.committed[entry.id] = self.commits
        self.pending[entry.id] = entry

    @rule(
        conversation=CONVERSATIONS,
        count=st.sampled_from([1, 1, 2, 3, LANE_LIMIT + 3]),
        aside=st.booleans(),
    )
    def accept(self, conversation: int, count: int, aside: bool) -> None:  # noqa: FBT001 - drawn
        for _ in range(count):
            self.last_id += 1
            behind = self.is_untold(lane_number(conversation))
            entry = self.commit(self.last_id, conversation)
            if conversation in self.lost:
                continue
            if behind:
                # The database says that something unheard of may be in front of it.
                self.tell(entry.lane)
            elif aside:
                self.lanes.set_aside(entry)
            else:
                self.lanes.add([entry], self.now)

    @rule()
    def begin_elsewhere(self) -> None:
        self.last_id += 1
        self.reserved.append(self.last_id)

    @precondition(lambda self: self.reserved)
    @rule(conversation=CONVERSATIONS, data=st.data(), told=st.booleans())
    def hand_over(self, conversation: int, data: st.DataObject, told: bool) -> None:  # noqa: FBT001 - drawn
        """Another node commits. It may die before it says so."""
        entry_id = data.draw(st.sampled_from(sorted(self.reserved)))
        self.reserved.remove(entry_id)
        self.commit(entry_id, conversation)
        self.handed_over.add(entry_id)
        if not told:
            self.untold.add(entry_id)
        elif conversation not in self.lost:
            self.tell(lane_number(conversation))

    def is_untold(self, lane: int) -> bool:
        return any(entry.id in self.untold for entry in self.waiting(lane))

    def tell(self, lane: int) -> None:
        self.lanes.look_up(lane)
        self.untold.difference_update(entry.id for entry in self.waiting(lane))

    @precondition(lambda self: self.untold)
    @rule()
    def sweep(self) -> None:
        """What memory does not know is looked up; what is left of a lane that it knows is for a later sweep."""
        for lane in {entry.lane for entry in self.pending.values()}:
            if lane >> 1 not in self.lost and lane not in self.lanes:
                self.tell(lane)

    @precondition(lambda self: self.parked)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        numbers = data.draw(st.sets(st.sampled_from(sorted(self.parked)), min_size=1))
        for number in sorted(numbers):
            entry = replace(self.parked.pop(number), since=self.now, due_at=self.now)
            self.handed_over.discard(number)
            self.untold.discard(number)
            self.store(entry)
            if entry.conversation_id not in self.lost:
                self.lanes.reload(entry.lane)

    # --- partitions go and come ---

    @rule(conversations=st.sets(CONVERSATIONS, min_size=1))
    def lose(self, conversations: set[int]) -> None:
        self.lost |= conversations
        gone = {lane_number(conversation) for conversation in conversations}
        self.lanes.forget(lambda lane: lane in gone)

    @precondition(lambda self: self.lost)
    @rule(data=st.data())
    def deliver_elsewhere(self, data: st.DataObject) -> None:
        conversation = data.draw(st.sampled_from(sorted(self.lost)))
        waiting = self.waiting(lane_number(conversation))
        if waiting and lane_number(conversation) not in self.under_way:
            del self.pending[waiting[0].id]

    @precondition(lambda self: self.lost)
    @rule(data=st.data(), aside=st.booleans())
    def win(self, data: st.DataObject, aside: bool) -> None:  # noqa: FBT001 - drawn
        conversation = data.draw(st.sampled_from(sorted(self.lost)))
        self.lost.discard(conversation)
        for entry in self.waiting(lane_number(conversation)):
            self.untold.discard(entry.id)
            if aside:
                self.lanes.set_aside(entry)
            else:
                self.lanes.add([entry], self.now)

    # --- lanes are filled ---

    @precondition(lambda self: not self.loaded)
    @rule(most=st.integers(1, 8))
    def load(self, most: int) -> None:
        wanted = self.lanes.hungry(most)
        self.loaded = [(lane, self.waiting(lane.number)[:LANE_LIMIT]) for lane in wanted]

    @precondition(lambda self: self.loaded)
    @rule()
    def fill(self) -> None:
        for lane, entries in self.loaded:
            mine = lane.number >> 1 not in self.lost
            complete = len(entries) < LANE_LIMIT or not mine
            self.lanes.refill(lane, entries if mine else [], self.now, complete=complete)
        self.loaded = []

    # --- entries go ---

    @rule(most=st.integers(1, 10))
    def take(self, most: int) -> None:
        self.wake()
        for _ in range(most):
            turn = self.lanes.take(self.now)
            if turn is None:
                break
            self.check(turn)
            self.under_way[turn.entry.lane] = turn

    def wake(self) -> None:
        self.lanes.wake(self.now)
        for far_side in self.far_sides.values():
            circuit = far_side.circuit
            if circuit.state is CircuitState.OPEN and circuit.until <= self.now:
                far_side.circuit = circuits.pause_ended(circuit)

    def check(self, turn: Turn) -> None:
        entry, far_side = turn.entry, self.far_sides[turn.entry.link_id]
        assert entry.lane not in self.under_way, "two of one lane at once"
        assert entry == self.pending.get(entry.id), "not as the database has it"
        for older in self.waiting(entry.lane):
            late = self.committed[older.id] > self.committed[entry.id]
            assert older.id >= entry.id or (late and older.id in self.handed_over), "not the first"
        assert entry.due_at <= self.now
        if turn.instead is not None:
            assert far_side.blocked
            assert expires_at(entry) <= self.now
            return
        far_side.begin(entry)
        assert self.attempts().total() < self.at_once
        assert self.attempts()[entry.link_id] < self.each

    def attempts(self) -> Counter[int]:
        """How many attempts each destination has under way."""
        return Counter(turn.entry.link_id for turn in self.under_way.values() if not turn.instead)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), end=st.sampled_from(["delivered", "rejected", "given up"]))
    def finish(self, data: st.DataObject, end: str) -> None:
        turn = self.under_way.pop(data.draw(st.sampled_from(sorted(self.under_way))))
        if end != "delivered" or turn.instead is not None:
            self.parked[turn.entry.id] = turn.entry
        self.end(turn, failure=DOWN if end == "given up" else None)

    def end(self, turn: Turn, failure: errors.DeliveryError | None = None) -> None:
        del self.pending[turn.entry.id]
        if turn.instead is None:
            self.learn(turn.entry, failure)
        self.lanes.finish(turn.entry, self.now)

    @precondition(lambda self: any(not turn.instead for turn in self.under_way.values()))
    @rule(
        data=st.data(),
        seconds=st.sampled_from([0, 1, 3, 20, 300]),
        asked=st.sampled_from([None, None, None, 2, 30]),
        ours=st.sampled_from([False, False, False, True]),
    )
    def postpone(
        self,
        data: st.DataObject,
        seconds: int,
        asked: float | None,
        ours: bool,  # noqa: FBT001 - drawn
    ) -> None:
        """An attempt failed. If the fault is ours, it says nothing about the far side."""
        tried = sorted(lane for lane, turn in self.under_way.items() if not turn.instead)
        entry = self.under_way.pop(data.draw(st.sampled_from(tried))).entry
        due_at = self.now + seconds * SECOND
        self.pending[entry.id] = replace(entry, attempts=entry.attempts + 1, due_at=due_at)
        if not ours:
            self.learn(entry, DOWN, asked)
        self.lanes.postpone(entry, due_at)
        self.forget_probe(entry)

    def learn(
        self, entry: Entry, error: errors.DeliveryError | None, asked: float | None = None
    ) -> None:
        far_side = self.far_sides[entry.link_id]
        if error is None:
            self.lanes.answered(entry)
            if far_side.heeds(entry):
                far_side.circuit = circuits.answered(far_side.circuit)
        else:
            failure = Failure(lane=entry.lane, error=error, now=self.now, wait=asked)
            self.lanes.failed(entry, failure)
            if far_side.heeds(entry) or asked is not None:
                far_side.circuit = circuits.failed(far_side.circuit, failure)
        self.forget_probe(entry)

    def forget_probe(self, entry: Entry) -> None:
        far_side = self.far_sides[entry.link_id]
        if far_side.probe == entry.id:
            far_side.probe = None

    # --- time passes ---

    @rule(seconds=st.sampled_from([1, 2, 5, 10, 60, 400]))
    def wait(self, seconds: int) -> None:
        self.now += seconds * SECOND

    # --- what holds at any time ---

    def waiting(self, lane: int) -> list[Entry]:
        found = [entry for entry in self.pending.values() if entry.lane == lane]
        return sorted(found, key=lambda entry: entry.id)

    @invariant()
    def memory_is_counted(self) -> None:
        shares = [
            self.lanes.share_of(make_entry(0, link_id=link, direction=Direction.TO_MESSENGER))
            for link in self.far_sides
        ]
        assert min(shares) >= 0
        assert sum(shares) == len(self.lanes) <= len(self.pending)
        assert self.lanes.bytes == 2 * len(self.lanes)

    @invariant()
    def circuits_agree(self) -> None:
        assert self.lanes.blocked == sum(far_side.blocked for far_side in self.far_sides.values())

    @rule()
    def rest(self) -> None:
        """Everything that may go is under way, and what is not has a reason to wait."""
        self.come_to_rest()
        busy = Counter(turn.entry.link_id for turn in self.under_way.values())
        for lane in {entry.lane for entry in self.pending.values()}:
            first = self.waiting(lane)[0]
            link = first.link_id
            far_side = self.far_sides[link]
            held = far_side.blocked and expires_at(first) > self.now
            later = [entry for entry in self.waiting(lane) if entry.due_at > self.now]
            handed_over = first.id in self.handed_over
            assert (
                lane in self.under_way
                or first.conversation_id in self.lost
                or first.due_at > self.now
                or (handed_over and later)
                or first.id in self.untold
                or held
                or far_side.probe is not None
                or busy.total() >= self.at_once
                or busy[link] >= min(self.each, FEWEST)
            ), "nobody remembers this lane"

    def come_to_rest(self) -> None:
        for _ in range(BOUND):
            before = len(self.under_way)
            self.take(BOUND)
            if self.loaded:
                self.fill()
                continue
            self.load(BOUND)
            if not self.loaded and len(self.under_way) == before:
                return
        raise AssertionError("lanes are read again and again")

    def teardown(self) -> None:
        """Whatever happened, everything that is pending gets out, and every count returns to its start."""
        if not hasattr(self, "lanes"):
            return
        for conversation in sorted(self.lost):
            self.lost.discard(conversation)
            self.lanes.add(self.waiting(lane_number(conversation)), self.now)
        while self.pending or self.under_way:
            self.sweep()
            self.rest()
            if not self.under_way:
                due = self.lanes.next_due()
                assert due is not None, "something is pending that the lanes never give out"
                self.now = max(self.now + 1, due)
            for lane in list(self.under_way):
                self.end(self.under_way.pop(lane))
        self.rest()
        assert (len(self.lanes), self.lanes.bytes, self.lanes.lanes) == (0, 0, 0)
        strangers = [make_entry(number, number, link_id=100 + number) for number in range(1, 20)]
        self.lanes.add(strangers, self.now)
        assert len(take_all(self.lanes, self.now)) == self.at_once, "a slot was lost"


def take_all(lanes: Lanes, now: int) -> list[Any]:
    return list(iter(lambda: lanes.take(now), None))


TestLanes = LanesMachine.TestCase
TestLanes.settings = settings(max_examples=60, stateful_step_count=50)
