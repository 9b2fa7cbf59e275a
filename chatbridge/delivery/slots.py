"""Attempts that may be under way, and how destinations share them. In memory, pure.

Destinations that have something to go stand in a line and take turns. One whose circuit is open, or that has its share under
way, leaves the line, and comes back when that is over.
"""

import heapq
from collections import deque
from collections.abc import Mapping
from typing import Final

from chatbridge.delivery.circuit import CircuitState, Failure
from chatbridge.delivery.destinations import Destination
from chatbridge.delivery.lane import Lane
from chatbridge.store.entries import Entry

_REMEMBERED: Final = 10_000
"""Destinations kept in mind at least, idle ones included."""


class Slots:
    """All destinations, and the slots for attempts that they share."""

    def __init__(self, lanes: Mapping[int, Lane], *, at_once: int, at_once_each: int) -> None:
        """Begin with all slots free: so many in all, and for one destination. Destinations of these lanes are kept in mind."""
        self._lanes = lanes
        self._free, self._each = at_once, at_once_each
        self._destinations: dict[int, Destination] = {}
        self._line: deque[Destination] = deque()
        self._crowded_out: dict[Destination, None] = {}
        """Destinations that could go on if there were more slots."""
        self._paused: list[tuple[int, int]] = []

    @property
    def blocked(self) -> int:
        """Return how many destinations are paused because of failures."""
        return sum(destination.blocked for destination in self._destinations.values())

    def destination_of(self, entry: Entry) -> Destination:
        """Return the far side that an entry is for."""
        number = _number_of(entry)
        destination = self._destinations.get(number)
        if destination is None:
            if len(self._destinations) >= _REMEMBERED:
                self._forget_idle()
            destination = self._destinations[number] = Destination()
        return destination

    # --- taking turns ---

    def enter(self, destination: Destination) -> None:
        """Let a destination stand in line if it has something to go."""
        if not destination.in_turn and (destination.ready or destination.held):
            destination.in_turn = True
            self._line.append(destination)

    def next(self) -> Destination | None:
        """Return the destination whose turn it is, None if no attempt may begin. It keeps its turn until it is passed on."""
        while self._line and self._free > 0:
            destination = self._line[0]
            if self._may_begin(destination):
                return destination
            self.leave()
        return None

    def pass_on(self) -> None:
        """Let the next destination have its turn, and this one stand in line again."""
        self._line.rotate(-1)

    def leave(self) -> None:
        """Take the destination whose turn it is out of the line."""
        self._line.popleft().in_turn = False

    def begin(self, destination: Destination, entry: Entry) -> None:
        """Take note of an attempt."""
        self._free -= 1
        destination.begin(entry.id)

    def end(self, destination: Destination, entry: Entry) -> None:
        """Take note of the end of an attempt."""
        destination.end(entry.id)
        self._free += 1
        self.enter(destination)
        if self._crowded_out:
            first = next(iter(self._crowded_out))
            del self._crowded_out[first]
            self.enter(first)

    def _may_begin(self, destination: Destination) -> bool:
        if destination.blocked or destination.under_way >= self._each:
            return False
        if destination.has_slot(self._free):
            return True
        self._crowded_out[destination] = None
        return False

    # --- what far sides do ---

    def answered(self, entry: Entry) -> None:
        """Take note that a destination works."""
        destination = self.destination_of(entry)
        probing = destination.circuit.state is CircuitState.PROBING
        if not probing or destination.probe == entry.id:
            destination.answer()

    def failed(self, entry: Entry, failure: Failure) -> Destination | None:
        """Take note that a destination does not work; return it if that has opened its circuit."""
        destination = self.destination_of(entry)
        before = destination.circuit
        probing = before.state is CircuitState.PROBING
        if probing and destination.probe != entry.id and failure.wait is None:
            return None
        destination.fail(failure)
        after = destination.circuit
        if after.state is not CircuitState.OPEN:
            return None
        if after.until != before.until:
            heapq.heappush(self._paused, (after.until, _number_of(entry)))
        return destination if before.state is not CircuitState.OPEN else None

    @property
    def pause_ends(self) -> int | None:
        """Return when the next pause ends, None if there is none."""
        return self._paused[0][0] if self._paused else None

    def end_pauses(self, now: int) -> None:
        """End the pauses that are over."""
        while self._paused and self._paused[0][0] <= now:
            until, number = heapq.heappop(self._paused)
            destination = self._destinations.get(number)
            if destination is not None and destination.circuit.until == until:
                destination.end_pause()
                self.enter(destination)

    # --- inside ---

    def _forget_idle(self) -> None:
        busy = {lane.destination for lane in self._lanes.values()}
        self._destinations = {
            number: destination
            for number, destination in self._destinations.items()
            if destination in busy or not destination.idle
        }


def _number_of(entry: Entry) -> int:
    return entry.link_id * 2 + entry.direction
