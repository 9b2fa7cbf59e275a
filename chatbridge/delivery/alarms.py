"""When sleeping lanes wake. Pure."""

import heapq
from collections.abc import Iterator, Mapping
from typing import Final

from chatbridge.delivery.lane import Lane, LaneState

_SLACK: Final = 10_000
"""Alarms of lanes that are gone, or woke before, that are tolerated; some were set for days ahead."""


class Alarms:
    """The next alarm of each sleeping lane."""

    def __init__(self, lanes: Mapping[int, Lane]) -> None:
        """Wake these lanes, by number."""
        self._lanes = lanes
        self._line: list[tuple[int, int]] = []

    @property
    def next(self) -> int | None:
        """Return when the next one goes off."""
        return self._line[0][0] if self._line else None

    def set(self, lane: Lane) -> None:
        """Wake a lane at its `due_at`."""
        if lane.alarm == lane.due_at:
            return
        lane.alarm = lane.due_at
        heapq.heappush(self._line, (lane.due_at, lane.number))
        if len(self._line) > 2 * len(self._lanes) + _SLACK:
            self._tidy()

    def ringing(self, now: int) -> Iterator[Lane]:
        """Give the lanes whose sleep is over."""
        while self._line and self._line[0][0] <= now:
            due_at, number = heapq.heappop(self._line)
            lane = self._lanes.get(number)
            if lane is None:
                continue
            if lane.alarm == due_at:
                lane.alarm = 0
            if lane.state is LaneState.ASLEEP and lane.due_at == due_at:
                yield lane

    def _tidy(self) -> None:
        for lane in self._lanes.values():
            lane.alarm = lane.due_at if lane.state is LaneState.ASLEEP else 0
        self._line = [(lane.alarm, lane.number) for lane in self._lanes.values() if lane.alarm]
        heapq.heapify(self._line)
