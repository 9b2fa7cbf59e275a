"""Which entry may go next. In memory, pure: no clock, no database, no network.

Each lane keeps its entries in the order of their ids and lets only the first one go. Entries beyond a lane's share of
memory stay in the database: the lane is then *cut*, and asks to be refilled when it has been emptied.
"""

import heapq
from bisect import insort
from collections import deque
from collections.abc import Iterable
from typing import Final

from chatbridge.store.entries import Entry

LANE_LIMIT: Final = 64
"""Entries of one lane kept in memory, so that a blocked conversation cannot fill it."""


class _Lane:
    __slots__ = ("busy", "cut", "due_at", "entries", "missed")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.busy = False
        self.cut = False
        """The database has more of it."""
        self.missed = False
        """While it was being refilled, another entry was left in the database."""
        self.due_at = 0

    def position(self, entry: Entry) -> int:
        return next(place for place, known in enumerate(self.entries) if known.id == entry.id)


class Lanes:
    """All lanes that have something to deliver."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lanes: dict[int, _Lane] = {}
        self._ready: deque[int] = deque()
        self._waiting: list[tuple[int, int]] = []
        self._count = 0

    def __len__(self) -> int:
        """Return the number of entries in memory."""
        return self._count

    def add(self, entries: Iterable[Entry]) -> None:
        """Take entries in; each goes to its place by id. One that is there already is ignored."""
        for entry in entries:
            self._add(entry)

    def take(self, now: int) -> Entry | None:
        """Return an entry that may go now and mark its lane as busy; None if there is none."""
        while self._waiting and self._waiting[0][0] <= now:
            self._wake(heapq.heappop(self._waiting)[1])
        while self._ready:
            number = self._ready.popleft()
            lane = self._lanes.get(number)
            if lane is not None and lane.entries and not lane.busy and lane.due_at <= now:
                lane.busy = True
                return lane.entries[0]
        return None

    def next_due(self) -> int | None:
        """Return when the next waiting lane may go, None if none waits."""
        return self._waiting[0][0] if self._waiting else None

    def finish(self, entry: Entry) -> bool:
        """Let the lane go on: this entry was delivered or given up. Return whether the lane wants a refill."""
        lane = self._lanes[entry.lane]
        lane.busy = False
        del lane.entries[lane.position(entry)]
        self._count -= 1
        if lane.entries:
            self._schedule(entry.lane, lane)
            return False
        lane.missed = False
        self._forget(entry.lane, lane)
        return lane.cut

    def postpone(self, entry: Entry, again: Entry) -> None:
        """Put an entry back at its place, to go again when it is due. Its lane waits with it."""
        lane = self._lanes[entry.lane]
        lane.busy = False
        lane.entries[lane.position(entry)] = again
        self._schedule(entry.lane, lane)

    def refill(self, number: int, entries: list[Entry], *, complete: bool) -> bool:
        """Take in what the database had of a lane that wanted a refill; return whether it wants another.

        `complete` says that the database had no more when it was read.
        """
        lane = self._lanes[number]
        lane.cut = False
        self.add(entries)
        lane.cut = lane.cut or lane.missed or not complete
        self._forget(number, lane)
        return lane.cut and not lane.entries

    def _add(self, entry: Entry) -> None:
        lane = self._lanes.setdefault(entry.lane, _Lane())
        newest = lane.entries[-1].id if lane.entries else 0
        if entry.id > newest and (lane.cut or len(lane.entries) >= LANE_LIMIT):
            lane.cut = lane.missed = True
            return
        if any(entry.id == known.id for known in lane.entries):
            return
        insort(lane.entries, entry, key=lambda known: known.id)
        self._count += 1
        if lane.entries[0] is entry and not lane.busy:
            self._schedule(entry.lane, lane)

    def _schedule(self, number: int, lane: _Lane) -> None:
        lane.due_at = lane.entries[0].due_at
        heapq.heappush(self._waiting, (lane.due_at, number))

    def _wake(self, number: int) -> None:
        lane = self._lanes.get(number)
        if lane is not None and lane.entries and not lane.busy:
            self._ready.append(number)

    def _forget(self, number: int, lane: _Lane) -> None:
        if not lane.entries and not lane.cut:
            del self._lanes[number]
