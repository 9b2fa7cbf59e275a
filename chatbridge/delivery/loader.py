"""Brings what is pending into memory: new entries as they are accepted, older ones by cursor, lanes one by one.

What keeps order and sends nothing twice:

- A *reading* goes through the pending entries of some partitions by id. While it goes on, a lane is fed by the reading or
  by refills, never by both: once a lane was refilled, the reading only tells it that there is more.
- A lane is refilled when memory has nothing of it, and only after everything that was sent of it is recorded.
- Other nodes write too, and say so a moment later. What a reading finds that was written after it began may stand behind
  something of theirs that it passed by already: its lane is refilled.
- In doubt a lane is told to look into the database. That costs a query and is always right.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Final, TypeVar

import structlog

from chatbridge.clock import Clock
from chatbridge.delivery.lane import LANE_LIMIT
from chatbridge.delivery.lanes import Lanes
from chatbridge.errors import StoreUnavailable
from chatbridge.store import pending
from chatbridge.store.engine import Store
from chatbridge.store.entries import Entry
from chatbridge.store.partitions import EVERYTHING, partition_of

log = structlog.get_logger()

T = TypeVar("T")

_LOAD: Final = 500
"""Entries read at once: under 3 ms on both databases, whatever the backlog."""
_REFILL: Final = 64
"""Lanes refilled at once."""
_REFILLED: Final = 50_000
_PAUSE: Final = 1.0
"""Seconds before the database is asked again after it failed."""
_PATIENCE: Final = 1.0
"""Seconds without room after which those who fill the memory are passed over."""
_MOST_LANES: Final = 200_000
"""Lanes known at most before reading waits; each costs a few hundred bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How much may be in memory."""

    entries: int
    bytes: int


@dataclass(slots=True)
class _Reading:
    partitions: frozenset[int]
    cursor: int
    refilled: set[int] = field(default_factory=set)
    """Lanes that are fed by refills."""
    newest: int = 0
    """The newest entry that was left to it."""
    sure: float = inf
    """Up to here, nothing of a lane can turn up later that goes before what it finds there."""
    begun: bool = False
    passing: bool = False
    """There was no room for long: it passes over those who fill the memory."""


class Loader:
    """Fills the lanes, up to a window."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        lanes: Lanes,
        window: Window,
        filled: Callable[[], None],
        recorded: Callable[[Iterable[int] | None], Awaitable[None]],
    ) -> None:
        """Call `filled` whenever the lanes got something; `recorded` waits until all that was sent of some lanes, or of all, is recorded."""
        self._store, self._clock, self._lanes = store, clock, lanes
        self._window, self._filled, self._recorded = window, filled, recorded
        self.mine: frozenset[int] = frozenset()
        """The partitions that are delivered here."""
        self._readings: list[_Reading] = []
        self._refilled: set[int] = set()
        """Lanes refilled since something was offered last, and the many before them."""
        self._refilled_before: set[int] = set()
        self._read_to = 0
        """How far the reading came that ended last."""
        self._wanted = asyncio.Event()
        self._room = asyncio.Event()
        self._hungry = asyncio.Event()

    # --- what is ours ---

    def own(self, partitions: frozenset[int]) -> None:
        """Deliver these partitions from now on, and no others."""
        lost, won = self.mine - partitions, partitions - self.mine
        self.mine = partitions
        if lost:
            self._lanes.forget(lambda lane: partition_of(lane) in lost)
            for reading in self._readings:
                reading.partitions -= lost
        if won:
            self._readings.append(_Reading(won, 0))
            self._wanted.set()

    def read_again(self) -> None:
        """Forget everything and read it again: something may have been missed."""
        mine = self.mine
        self.own(frozenset())
        self.own(mine)

    # --- what comes in ---

    def offer(self, entries: Iterable[Entry]) -> list[int]:
        """Take in entries that were just accepted here, in the order of their ids; return lanes that are not ours."""
        now = self._clock.now()
        foreign = []
        for entry in entries:
            if partition_of(entry.lane) in self.mine:
                self._offer(entry, now)
            else:
                foreign.append(entry.lane)
        self._refilled.clear()
        self._refilled_before.clear()
        self._filled()
        return foreign

    def look_up(self, lanes: Iterable[int], *, again: bool = False) -> None:
        """Take note that the database has something new of these lanes.

        `again` says that it may go before what is known of the lane, as what is released does.
        """
        for lane in lanes:
            reading = self._reading_of(lane)
            if partition_of(lane) not in self.mine:
                continue
            if reading is not None:
                reading.refilled.add(lane)
            if again:
                self._lanes.reload(lane)
            else:
                self._lanes.look_up(lane)
        self._hungry.set()
        self._filled()

    def overlooks(self, lane: int, entry_id: int) -> bool:
        """Return whether nobody here will come to a lane of ours whose first entry in the database is this."""
        if partition_of(lane) not in self.mine or lane in self._lanes:
            return False
        reading = self._reading_of(lane)
        return reading is None or entry_id <= reading.cursor

    def stir(self) -> None:
        """Go on if there is something to do again: room in memory, or lanes that want a refill."""
        if self._lanes.is_hungry:
            self._hungry.set()
        if self._readings and not self._is_full(half=True):
            self._room.set()

    # --- work ---

    async def read(self) -> None:
        """Go through what is pending, for ever."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._readings:
                for reading in list(self._readings):
                    await self._read_on(reading)

    async def refill(self) -> None:
        """Refill lanes that want it, for ever."""
        while True:
            lanes = self._lanes.hungry(_REFILL)
            if not lanes:
                self._hungry.clear()
                await self._hungry.wait()
                continue
            numbers = [lane.number for lane in lanes]
            # What was sent must be recorded, or it would be read as pending and sent again.
            await self._recorded(numbers)
            found = await self._patiently(pending.load_lanes, numbers, LANE_LIMIT)
            now = self._clock.now()
            for lane, entries in zip(lanes, found, strict=True):
                mine = partition_of(lane.number) in self.mine
                self._note_refilled(lane.number)
                complete = len(entries) < LANE_LIMIT or not mine
                self._lanes.refill(lane, entries if mine else [], now, complete=complete)
            self._filled()

    # --- inside ---

    def _offer(self, entry: Entry, now: int) -> None:
        reading = self._reading_of(entry.lane)
        known = entry.id <= self._read_to or (
            entry.lane in self._refilled or entry.lane in self._refilled_before
        )
        if reading is None and entry.id > self._read_to and self._is_full():
            reading = _Reading(self._live(), entry.id - 1, self._lanes.refilled())
            reading.sure = 0 if self._store.shared else inf
            self._readings.append(reading)
            self._wanted.set()
        if reading is None and not known:
            self._lanes.add((entry,), now)
        elif reading is None:
            self._lanes.look_up(entry.lane)
            self._hungry.set()
        elif entry.id <= reading.cursor or self._has_share(entry):
            reading.refilled.add(entry.lane)
            self._lanes.look_up(entry.lane)
            self._hungry.set()
        else:
            reading.newest = max(reading.newest, entry.id)

    async def _read_on(self, reading: _Reading) -> None:
        reading.passing = self._is_full() and (reading.passing or not await self._has_room())
        if not reading.begun:
            reading.begun = True
            await self._recorded(None)
            if self._store.shared and not reading.cursor:
                reading.sure = await self._patiently(pending.newest)
        newest, limit = reading.newest, self._limit()
        only = None if reading.partitions == EVERYTHING else sorted(reading.partitions)
        entries = await self._patiently(pending.load_after, reading.cursor, limit, only)
        self._take_in(reading, entries)
        if len(entries) < limit and newest == reading.newest:
            # Nothing was left to it meanwhile, so it saw everything there is.
            self._readings.remove(reading)
            self._read_to = max(self._read_to, reading.cursor)
        self._hungry.set()
        self._filled()

    def _take_in(self, reading: _Reading, entries: list[Entry]) -> None:
        now = self._clock.now()
        for entry in entries:
            reading.cursor = entry.id
            if partition_of(entry.lane) not in reading.partitions:
                continue
            if entry.lane in reading.refilled:
                self._lanes.look_up(entry.lane)
            elif reading.passing and not self._has_share(entry):
                reading.refilled.add(entry.lane)
                self._lanes.set_aside(entry)
            elif entry.id > reading.sure:
                reading.refilled.add(entry.lane)
                self._lanes.look_up(entry.lane)
            else:
                self._lanes.add((entry,), now)

    async def _has_room(self) -> bool:
        """Wait for room in memory; return False if there is none for long and others wait behind."""
        while self._is_full(half=True):
            self._room.clear()
            room = asyncio.create_task(self._room.wait())
            patience = asyncio.create_task(self._clock.sleep(_PATIENCE))
            try:
                await asyncio.wait((room, patience), return_when=asyncio.FIRST_COMPLETED)
            finally:
                room.cancel()
                patience.cancel()
            if not self._room.is_set() and self._lanes.lanes < _MOST_LANES:
                return False
        return True

    async def _patiently(self, unit: Callable[..., T], *args: object) -> T:
        """Read from the database, however long it is away."""
        while True:
            try:
                return await self._store.read(unit, *args)
            except StoreUnavailable as error:
                log.warning("pending_not_loaded", reason=str(error))
                await self._clock.sleep(_PAUSE)

    def _note_refilled(self, lane: int) -> None:
        if len(self._refilled) >= _REFILLED:
            # On a node that accepts nothing, nobody else would ever clear it.
            self._refilled_before, self._refilled = self._refilled, set()
        self._refilled.add(lane)
        reading = self._reading_of(lane)
        if reading is not None:
            reading.refilled.add(lane)

    def _reading_of(self, lane: int) -> _Reading | None:
        if not self._readings:
            return None
        partition = partition_of(lane)
        return next((known for known in self._readings if partition in known.partitions), None)

    def _live(self) -> frozenset[int]:
        """Return our partitions that no reading goes through."""
        return self.mine.difference(*(reading.partitions for reading in self._readings))

    def _is_full(self, *, half: bool = False) -> bool:
        part = 2 if half else 1
        return (
            len(self._lanes) >= self._window.entries // part
            or self._lanes.bytes >= self._window.bytes // part
            or self._lanes.lanes >= _MOST_LANES // part
        )

    def _limit(self) -> int:
        """Return how many entries to read, fewer if they are large."""
        if not self._lanes.bytes:
            return _LOAD // 8
        mean = self._lanes.bytes // len(self._lanes)
        return max(8, min(_LOAD, self._window.bytes // 8 // max(1, mean)))

    def _has_share(self, entry: Entry) -> bool:
        """Return whether its destination has little in memory, so that it need not wait for those who have much."""
        return self._lanes.share_of(entry) < self._window.entries // 8
