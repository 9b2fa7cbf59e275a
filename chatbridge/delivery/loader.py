"""Brings what is pending into memory: new entries as they are accepted, older ones by cursor, lanes one by one.

What keeps order and sends nothing twice:

- Every pending entry up to the cursor is in memory, or its lane is known to be cut. Beyond the cursor, nothing was ever
  given to the lanes.
- A lane is refilled only up to the cursor, and only when everything that was sent of it is recorded.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog

from chatbridge.clock import Clock
from chatbridge.delivery.lanes import LANE_LIMIT, Lanes
from chatbridge.errors import StoreUnavailable
from chatbridge.store import pending
from chatbridge.store.engine import Store
from chatbridge.store.entries import Entry

log = structlog.get_logger()

_LOAD: Final = 500
"""Entries read at once: under 3 ms on both databases, whatever the backlog."""
_PAUSE: Final = 1.0
"""Seconds before the database is asked again after it failed."""


class Loader:
    """Fills the lanes, up to a window of entries in memory."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        lanes: Lanes,
        window: int,
        filled: Callable[[], None],
        recorded: Callable[[], Awaitable[None]],
    ) -> None:
        """Call `filled` whenever the lanes got something; `recorded` waits until all that was sent is recorded."""
        self._store, self._clock, self._lanes = store, clock, lanes
        self._window, self._filled, self._recorded = window, filled, recorded
        self._cursor = 0
        self._newest = 0
        self._behind = True
        self._room = asyncio.Event()
        self._refills: set[asyncio.Task[None]] = set()

    def offer(self, entries: Iterable[Entry]) -> None:
        """Take in entries that were just accepted, in the order of their ids.

        While older ones are still being read, new ones are left to the reading: nothing overtakes.
        """
        for entry in entries:
            self._newest = max(self._newest, entry.id)
            if self._behind or entry.id <= self._cursor:
                continue
            if len(self._lanes) >= self._window:
                self._behind = True
                self._room.set()
                continue
            self._cursor = entry.id
            self._lanes.add((entry,), self._clock.now())
        self._filled()

    def offer_again(self, entries: Iterable[Entry]) -> None:
        """Take in entries that were released. Those beyond the cursor, parked before this start, are read."""
        released = list(entries)
        seen = (entry for entry in released if entry.id <= self._cursor)
        self._lanes.add_again(seen, self._clock.now())
        if any(entry.id > self._cursor for entry in released):
            self._behind = True
            self._room.set()
        self._filled()

    def has_room(self) -> None:
        """Go on reading if memory has room again."""
        if self._behind and len(self._lanes) <= self._window // 2:
            self._room.set()

    async def run(self) -> None:
        """Read what is pending, for ever."""
        while True:
            try:
                await self._catch_up()
            except StoreUnavailable as error:
                log.warning("pending_not_loaded", reason=str(error))
                await self._clock.sleep(_PAUSE)
                continue
            self._room.clear()
            if not self._behind:
                await self._room.wait()

    def refill(self, lane: int) -> None:
        """Begin to read the first entries of a lane."""
        task = asyncio.create_task(self._refill(lane), name=f"refill-{lane}")
        self._refills.add(task)
        task.add_done_callback(self._refills.discard)

    async def stop(self) -> None:
        """Give up reading lanes."""
        for task in self._refills:
            task.cancel()
        await asyncio.gather(*self._refills, return_exceptions=True)

    async def _catch_up(self) -> None:
        while self._behind:
            if len(self._lanes) >= self._window:
                self._room.clear()
                await self._room.wait()
                continue
            newest = self._newest
            entries = await self._store.read(pending.load_after, self._cursor, _LOAD)
            if entries:
                self._cursor = entries[-1].id
                self._lanes.add(entries, self._clock.now())
                self._filled()
            if len(entries) < _LOAD and newest == self._newest:
                # Nothing was accepted meanwhile, so the reading saw everything there is.
                self._cursor = max(self._cursor, newest)
                self._behind = False

    async def _refill(self, lane: int) -> None:
        wanted = True
        while wanted:
            # What was sent must be recorded, or it would be read as pending and sent again.
            await self._recorded()
            try:
                entries = await self._store.read(pending.load_lane, lane, self._cursor, LANE_LIMIT)
            except StoreUnavailable as error:
                log.warning("lane_not_loaded", reason=str(error))
                await self._clock.sleep(_PAUSE)
                continue
            complete = len(entries) < LANE_LIMIT
            wanted = self._lanes.refill(lane, entries, self._clock.now(), complete=complete)
            self._filled()
