"""Shows what could not be delivered and releases it again."""

from collections.abc import Callable, Iterable
from typing import Final

import structlog

from chatbridge.clock import Clock
from chatbridge.store import parked
from chatbridge.store.engine import Store
from chatbridge.store.parked import ParkedEntry, ParkedFilter

log = structlog.get_logger()

_AT_ONCE: Final = 500


class Parking:
    """The parked entries of this server."""

    def __init__(
        self, *, store: Store, clock: Clock, look_up: Callable[[Iterable[int]], None]
    ) -> None:
        """Tell `look_up` the lanes in which something was released."""
        self._store, self._clock, self._look_up = store, clock, look_up

    async def list_(self, wanted: ParkedFilter, *, after: int, limit: int) -> list[ParkedEntry]:
        """Return parked entries beyond an entry, oldest first."""
        return await self._store.read(parked.list_parked, wanted, after=after, limit=limit)

    async def release(self, wanted: ParkedFilter) -> int:
        """Queue parked entries again, each at its place by age; return how many."""
        begun, released = self._clock.now(), 0
        while True:
            # What fails again while this runs is parked later than `begun` and is left alone.
            entries = await self._store.write(
                parked.release, wanted, parked_until=begun, limit=_AT_ONCE, now=self._clock.now()
            )
            self._look_up({entry.lane for entry in entries})
            released += len(entries)
            if len(entries) < _AT_ONCE:
                break
        log.info("parked_released", count=released)
        return released
