"""Which entry may go next. In memory, pure: no clock, no database, no network.

A lane keeps its entries in the order of their ids and lets only the first one go. It is in one of three states:

- *awake*: its first entries are in memory, the first one may go or is under way;
- *asleep*: it waits for a retry; nothing of it is in memory but the time when it wakes;
- *loading*: it wants to be refilled from the database.

A lane is *cut* when the database has more of it than memory has. So a conversation that is blocked costs a few words of
memory, however much is queued in it, and never takes the place of those that can go.
"""

import heapq
from bisect import insort
from collections import deque
from collections.abc import Iterable
from enum import Enum
from typing import Final

from chatbridge.store.entries import Entry

LANE_LIMIT: Final = 64
"""Entries of one lane kept in memory, so that one conversation cannot fill it."""


class _State(Enum):
    AWAKE = "awake"
    ASLEEP = "asleep"
    LOADING = "loading"


class _Lane:
    __slots__ = ("busy", "cut", "due_at", "entries", "missed", "queued", "state")

    def __init__(self) -> None:
        self.state = _State.AWAKE
        self.entries: list[Entry] = []
        self.busy = False
        """Its first entry is under way."""
        self.queued = False
        """It stands in the line of lanes that may go."""
        self.cut = False
        """The database has more of it."""
        self.missed = False
        """While it was loading, another entry was left in the database."""
        self.due_at = 0
        """When it wakes, if it is asleep."""

    @property
    def newest(self) -> int:
        return self.entries[-1].id if self.entries else 0

    def holds(self, entry: Entry) -> bool:
        return any(entry.id == known.id for known in self.entries)

    def remove(self, entry: Entry) -> None:
        del self.entries[
            next(place for place, known in enumerate(self.entries) if known.id == entry.id)
        ]


class Lanes:
    """All lanes that have something to deliver."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lanes: dict[int, _Lane] = {}
        self._ready: deque[int] = deque()
        self._sleeping: list[tuple[int, int]] = []
        self._count = 0

    def __len__(self) -> int:
        """Return the number of entries in memory."""
        return self._count

    def add(self, entries: Iterable[Entry], now: int) -> None:
        """Take in entries in the order of their ids, each newer than all that its lane ever saw."""
        for entry in entries:
            lane = self._lanes.setdefault(entry.lane, _Lane())
            if lane.cut or len(lane.entries) >= LANE_LIMIT:
                lane.cut = lane.missed = True
            elif entry.due_at > now and not lane.entries:
                self._sleep(entry.lane, lane, entry.due_at)
            else:
                self._insert(lane, entry)

    def add_again(self, entries: Iterable[Entry], now: int) -> None:
        """Take in released entries: each goes to its place by id, before what its lane is waiting for."""
        for entry in entries:
            lane = self._lanes.setdefault(entry.lane, _Lane())
            if lane.state is _State.ASLEEP:
                self._sleep(entry.lane, lane, now)
            elif lane.cut and entry.id > lane.newest:
                lane.missed = True
            elif not lane.holds(entry):
                self._insert(lane, entry)

    def take(self, now: int) -> Entry | None:
        """Return an entry that may go and mark its lane as busy; None if there is none."""
        while self._ready:
            number = self._ready.popleft()
            lane = self._lanes[number]
            lane.queued = False
            first = lane.entries[0]
            if first.due_at <= now:
                lane.busy = True
                return first
            self._drop(lane)
            self._sleep(number, lane, first.due_at)
        return None

    def finish(self, entry: Entry) -> bool:
        """Let the lane go on: this entry was delivered or given up. Return whether the lane wants a refill."""
        lane = self._lanes[entry.lane]
        lane.busy = False
        lane.remove(entry)
        self._count -= 1
        if lane.entries:
            self._queue(entry.lane, lane)
        elif lane.cut:
            self._load(lane)
        else:
            del self._lanes[entry.lane]
        return lane.state is _State.LOADING

    def postpone(self, entry: Entry, due_at: int) -> None:
        """Put the lane to sleep: this entry is tried again then, and nothing of the lane before it."""
        lane = self._lanes[entry.lane]
        lane.busy = False
        self._drop(lane)
        self._sleep(entry.lane, lane, due_at)

    def wake(self, now: int) -> list[int]:
        """Return the lanes whose sleep is over; each wants a refill."""
        woken = []
        while self._sleeping and self._sleeping[0][0] <= now:
            due_at, number = heapq.heappop(self._sleeping)
            lane = self._lanes.get(number)
            if lane is not None and lane.state is _State.ASLEEP and lane.due_at == due_at:
                self._load(lane)
                woken.append(number)
        return woken

    def next_due(self) -> int | None:
        """Return when the next sleeping lane wakes, None if none sleeps."""
        return self._sleeping[0][0] if self._sleeping else None

    def refill(self, number: int, entries: list[Entry], now: int, *, complete: bool) -> bool:
        """Take in the first entries of a lane that wanted a refill; return whether it wants another.

        `complete` says that the database had no more of it when it was read.
        """
        lane = self._lanes[number]
        lane.cut = lane.missed or not complete
        lane.state = _State.AWAKE
        if not entries and lane.cut:
            self._load(lane)
            return True
        if not entries:
            del self._lanes[number]
        elif entries[0].due_at > now:
            self._sleep(number, lane, entries[0].due_at)
        else:
            lane.entries = entries
            self._count += len(entries)
            self._queue(number, lane)
        return False

    def _insert(self, lane: _Lane, entry: Entry) -> None:
        insort(lane.entries, entry, key=lambda known: known.id)
        self._count += 1
        self._queue(entry.lane, lane)

    def _queue(self, number: int, lane: _Lane) -> None:
        if not lane.busy and not lane.queued:
            lane.queued = True
            self._ready.append(number)

    def _sleep(self, number: int, lane: _Lane, due_at: int) -> None:
        lane.state, lane.cut, lane.due_at = _State.ASLEEP, True, due_at
        heapq.heappush(self._sleeping, (due_at, number))

    def _load(self, lane: _Lane) -> None:
        lane.state, lane.missed = _State.LOADING, False

    def _drop(self, lane: _Lane) -> None:
        """Leave the lane's entries to the database."""
        self._count -= len(lane.entries)
        lane.entries = []
