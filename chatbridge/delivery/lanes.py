"""Which entry may go next. In memory, pure: no clock, no database, no network.

A lane keeps its entries in the order of their ids and lets only the first one go. Lanes of one destination take turns with
those of the others (see `slots`). A lane that waits, for a retry or for its destination's circuit, costs a few words of memory
however much is queued in it; its entries stay in the database, so what is blocked never takes the place of what can go.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from chatbridge.delivery.alarms import Alarms
from chatbridge.delivery.circuit import Failure
from chatbridge.delivery.destinations import HELD_AT_ONCE, Destination
from chatbridge.delivery.lane import LANE_LIMIT, Lane, LaneState
from chatbridge.delivery.memory import Memory
from chatbridge.delivery.retry import expires_at
from chatbridge.delivery.slots import Slots
from chatbridge.errors import DeliveryError
from chatbridge.store.entries import Entry


class Turn(NamedTuple):
    """An entry whose turn it is."""

    entry: Entry
    instead: DeliveryError | None
    """If set, the entry is not to be tried any more, but to be given up for this reason."""


class Lanes:
    """All lanes that have something to deliver."""

    def __init__(self, *, at_once: int, at_once_each: int) -> None:
        """Begin empty; have at most so many attempts under way, in all and for one destination."""
        self._lanes: dict[int, Lane] = {}
        self._slots = Slots(self._lanes, at_once=at_once, at_once_each=at_once_each)
        self._expired: deque[Lane] = deque()
        """Lanes whose first entry is to be given up though its destination is blocked."""
        self._alarms = Alarms(self._lanes)
        self._hungry: deque[Lane] = deque()
        self._memory = Memory()

    def __len__(self) -> int:
        """Return the number of entries in memory."""
        return self._memory.count

    def __contains__(self, number: int) -> bool:
        """Return whether a lane is known."""
        return number in self._lanes

    @property
    def bytes(self) -> int:
        """Return the size of the entries in memory."""
        return self._memory.bytes

    @property
    def lanes(self) -> int:
        """Return the number of lanes known."""
        return len(self._lanes)

    @property
    def blocked(self) -> int:
        """Return how many destinations are paused because of failures."""
        return self._slots.blocked

    def share_of(self, entry: Entry) -> int:
        """Return how many entries of this one's destination are in memory."""
        return self._slots.destination_of(entry).entries

    def refilled(self) -> set[int]:
        """Return the lanes that were filled by lane."""
        return {number for number, lane in self._lanes.items() if lane.refilled}

    # --- entries come in ---

    def add(self, entries: Iterable[Entry], now: int) -> None:
        """Take in entries that memory does not know, in the order of their ids."""
        for entry in entries:
            lane = self._lane_of(entry)
            if lane.cut or len(lane.entries) >= LANE_LIMIT:
                lane.cut = lane.missed = True
            elif entry.due_at > now and not lane.entries:
                self._sleep(lane, entry.due_at)
            else:
                self._memory.insert(lane, entry)
                self._queue(lane, now)

    def set_aside(self, entry: Entry) -> None:
        """Leave an entry to the database until its destination has room in memory."""
        lane = self._lane_of(entry)
        if lane.cut or lane.entries:
            lane.cut = lane.missed = True
        elif lane.destination is not None:
            self._sleep(lane, expires_at(entry))
            lane.destination.held[lane] = None
            self._slots.enter(lane.destination)

    def look_up(self, number: int) -> None:
        """Take note that the database has something of this lane that memory does not know."""
        lane = self._lanes.get(number)
        if lane is None:
            lane = self._lanes[number] = Lane(number, None)
            self._load(lane)
            return
        lane.cut = lane.missed = True
        if lane.state is LaneState.ASLEEP and not lane.is_held:
            # What is new may go before what the lane waits for: two nodes number side by side.
            self._load(lane)

    def reload(self, number: int) -> None:
        """Take note that the database has something of this lane that goes before what memory knows."""
        self.look_up(number)
        lane = self._lanes[number]
        if lane.under_way is not None:
            self._memory.keep_under_way(lane)
        elif lane.state is not LaneState.LOADING:
            self._memory.drop(lane)
            self._load(lane)
        else:
            # What is being read may be older than what goes before it: it is ignored, and read again.
            self._delete(lane)
            again = self._lanes[number] = Lane(number, lane.destination)
            self._load(again)

    @property
    def is_hungry(self) -> bool:
        """Return whether a lane wants a refill."""
        return bool(self._hungry)

    def hungry(self, most: int) -> list[Lane]:
        """Return lanes that want a refill, each once."""
        return [self._hungry.popleft() for _ in range(min(most, len(self._hungry)))]

    def refill(self, lane: Lane, entries: list[Entry], now: int, *, complete: bool) -> None:
        """Take in the first entries of a lane that wanted a refill.

        `complete` says that the database had no more of it when it was read.
        """
        if self._lanes.get(lane.number) is not lane:
            return
        lane.let_go()
        lane.cut = lane.missed or not complete
        lane.state, lane.refilled = LaneState.AWAKE, True
        if entries:
            lane.destination = self._slots.destination_of(entries[0])
            self._take_in(lane, entries, now)
        else:
            self._empty(lane)
        if lane.destination is not None:
            self._slots.enter(lane.destination)

    # --- entries go ---

    def take(self, now: int) -> Turn | None:
        """Return an entry whose turn it is and mark its lane as busy; None if there is none."""
        while self._expired:
            lane = self._expired.popleft()
            if not self._leaves_line(lane) or lane.destination is None:
                continue
            if lane.destination.blocked and expires_at(lane.entries[0]) <= now:
                return self._begin(lane, lane.destination, lane.destination.circuit.reason)
            self._queue(lane, now)
        slots = self._slots
        while (destination := slots.next()) is not None:
            ready = self._next_ready(destination, now)
            if ready is not None:
                slots.pass_on()
                return self._begin(ready, destination, None)
            slots.leave()
        return None

    def finish(self, entry: Entry, now: int) -> None:
        """Let the lane go on: this entry was delivered or given up."""
        lane = self._lanes.get(entry.lane)
        self._end(lane, entry)
        if lane is None or lane.under_way is None:
            return
        lane.under_way = None
        self._memory.remove(lane, entry)
        if lane.entries:
            self._queue(lane, now)
        else:
            self._empty(lane)

    def postpone(self, entry: Entry, due_at: int) -> None:
        """Put the lane to sleep: this entry is tried again then, and nothing of the lane before it."""
        lane = self._lanes.get(entry.lane)
        self._end(lane, entry)
        if lane is not None and lane.under_way is not None:
            lane.under_way = None
            self._memory.drop(lane)
            if lane.missed:
                # Something that goes before it may have come meanwhile.
                self._load(lane)
            else:
                self._sleep(lane, due_at)

    # --- what far sides do ---

    def answered(self, entry: Entry) -> None:
        """Take note that the destination works. To be said before `finish`."""
        self._slots.answered(entry)

    def failed(self, entry: Entry, failure: Failure) -> None:
        """Take note that the destination does not work. To be said before `finish` or `postpone`."""
        opened = self._slots.failed(entry, failure)
        if opened is not None:
            self._hold_ready(opened)

    # --- time passes ---

    def wake(self, now: int) -> None:
        """End the sleep of lanes and the pauses of destinations that are over."""
        for lane in self._alarms.ringing(now):
            self._load(lane)
        self._slots.end_pauses(now)

    def next_due(self) -> int | None:
        """Return when something wakes next, None if nothing sleeps."""
        alarm, pause = self._alarms.next, self._slots.pause_ends
        if alarm is None or pause is None:
            return pause if alarm is None else alarm
        return min(alarm, pause)

    def under_way(self, among: Callable[[int], bool]) -> bool:
        """Return whether something is under way in a lane for which `among` is true."""
        return any(
            lane.under_way is not None and among(number) for number, lane in self._lanes.items()
        )

    def forget(self, gone: Callable[[int], bool]) -> None:
        """Forget the lanes for which `gone` is true, as somebody else delivers them now; what is under way may end."""
        for number, lane in list(self._lanes.items()):
            if not gone(number):
                continue
            if lane.under_way is not None:
                self._memory.keep_under_way(lane)
            else:
                self._memory.drop(lane)
                self._delete(lane)

    # --- inside ---

    def _lane_of(self, entry: Entry) -> Lane:
        number = entry.lane
        lane = self._lanes.get(number)
        if lane is None:
            lane = self._lanes[number] = Lane(number, self._slots.destination_of(entry))
        elif lane.destination is None:
            lane.destination = self._slots.destination_of(entry)
        return lane

    def _next_ready(self, destination: Destination, now: int) -> Lane | None:
        while destination.ready:
            lane = destination.ready.popleft()
            if not self._leaves_line(lane):
                continue
            first = lane.entries[0]
            if first.due_at <= now:
                if destination.held and len(destination.ready) < HELD_AT_ONCE // 2:
                    self._load_held(destination)
                return lane
            self._memory.drop(lane)
            self._sleep(lane, first.due_at)
        if destination.held:
            self._load_held(destination)
        return None

    def _load_held(self, destination: Destination) -> None:
        chosen = destination.choose_held()
        for lane in chosen:
            self._load(lane)
        destination.loading.update(chosen)

    def _leaves_line(self, lane: Lane) -> bool:
        """Take a lane out of the line; return whether it still has something to go."""
        lane.queued = False
        known = self._lanes.get(lane.number) is lane
        return known and bool(lane.entries) and lane.under_way is None

    def _begin(self, lane: Lane, destination: Destination, instead: DeliveryError | None) -> Turn:
        first = lane.under_way = lane.entries[0]
        self._slots.begin(destination, first)
        return Turn(first, instead)

    def _end(self, lane: Lane | None, entry: Entry) -> None:
        known = None if lane is None else lane.destination
        self._slots.end(known or self._slots.destination_of(entry), entry)

    def _take_in(self, lane: Lane, entries: list[Entry], now: int) -> None:
        if entries[0].due_at > now:
            self._sleep(lane, entries[0].due_at)
            return
        self._memory.fill(lane, entries)
        self._queue(lane, now)

    def _queue(self, lane: Lane, now: int) -> None:
        destination = lane.destination
        if lane.under_way is not None or lane.queued or destination is None:
            return
        if not destination.blocked:
            lane.queued = True
            destination.ready.append(lane)
            self._slots.enter(destination)
        elif expires_at(lane.entries[0]) <= now:
            lane.queued = True
            self._expired.append(lane)
        else:
            self._hold(lane, destination)

    def _hold_ready(self, destination: Destination) -> None:
        ready, destination.ready = destination.ready, deque()
        for lane in ready:
            if self._leaves_line(lane):
                self._hold(lane, destination)

    def _hold(self, lane: Lane, destination: Destination) -> None:
        """Let a lane wait for the circuit, but no longer than its first entry may wait."""
        expiry = expires_at(lane.entries[0])
        self._memory.drop(lane)
        self._sleep(lane, expiry)
        destination.held[lane] = None

    def _sleep(self, lane: Lane, due_at: int) -> None:
        lane.let_go()
        lane.state, lane.cut, lane.due_at = LaneState.ASLEEP, True, due_at
        self._alarms.set(lane)

    def _load(self, lane: Lane) -> None:
        lane.let_go()
        lane.state, lane.cut, lane.missed = LaneState.LOADING, True, False
        self._hungry.append(lane)

    def _empty(self, lane: Lane) -> None:
        if lane.cut:
            self._load(lane)
        else:
            self._delete(lane)

    def _delete(self, lane: Lane) -> None:
        lane.let_go()
        del self._lanes[lane.number]
        if lane.destination is not None:
            # It may have been read to be the probe: then it is another's turn.
            self._slots.enter(lane.destination)
